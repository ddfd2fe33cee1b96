package pack

import "encoding/binary"

// Place is where a sealed value stands. It is authenticated with the value, so that nobody who can write to the
// database can move one sealed value into another's row, or bring an old one back.
type Place struct {
	Table, Row string
	Version    int64
}

// Bytes are the associated data of the seal.
func (p Place) Bytes() []byte {
	out := []byte("munjigi store 1\n")
	out = append(binary.AppendUvarint(out, uint64(len(p.Table))), p.Table...)
	out = append(binary.AppendUvarint(out, uint64(len(p.Row))), p.Row...)
	return binary.AppendVarint(out, p.Version)
}

// At is such a place.
func At(table, row string, version int64) Place { return Place{table, row, version} }
