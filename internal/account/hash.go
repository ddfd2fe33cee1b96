package account

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// errHash is every text that is no password hash of a kind that we check, or one whose parameters are out of bounds.
var errHash = errors.New("not an argon2id, bcrypt or PBKDF2 hash within the bounds")

// ValidHash tells whether a stored or imported text can be checked by Hasher.Verify; its error says what is admitted.
func ValidHash(encoded string) error {
	_, err := parseHash(encoded)
	return err
}

// The bounds on what a stored hash may ask for. A hash is data: one that was imported, or written by somebody who got
// at the database, must not be able to take the machine's memory or a processor for minutes.
const (
	maxEncoded    = 512
	maxMemory     = 256 << 10 // KiB
	maxPasses     = 16
	maxLanes      = 8
	maxBcryptCost = 15
	maxRounds     = 5_000_000 // of PBKDF2; Django is at 1,200,000
	minSalt       = 1         // bytes; a legacy one may be short, and goes at its owner's first sign-in
	maxSalt       = 64
	minSum        = 16
	maxSum        = 64
)

// Bcrypt looks at 72 bytes. What follows would not count, so that a longer password could be replaced by any other
// with the same beginning; a longer one is therefore wrong, always.
const maxBcryptPassword = 72

// stored is a parsed hash: it checks a prepared password.
type stored interface {
	matches(prepared string) bool
	// heavy ones take more than today's memory or more than one processor.
	heavy() bool
}

// parseHash reads the PHC string format ($argon2id$…, $pbkdf2-sha256$…, $pbkdf2-sha512$…), crypt's ($2b$…) and
// Django's (pbkdf2_sha256$…).
func parseHash(encoded string) (stored, error) {
	if len(encoded) > maxEncoded {
		return nil, errHash
	}
	parts := strings.Split(encoded, "$")
	switch {
	case len(parts) == 6 && parts[0] == "" && parts[1] == "argon2id":
		return parseArgon(parts)
	case len(parts) == 4 && parts[0] == "" && (parts[1] == "2a" || parts[1] == "2b" || parts[1] == "2y"):
		return parseBcrypt(encoded)
	case len(parts) == 5 && parts[0] == "" && digests[parts[1]] != nil:
		return parsePBKDF2(parts)
	case len(parts) == 4 && parts[0] == "pbkdf2_sha256":
		return parseDjango(parts)
	}
	return nil, errHash
}

// argon is an argon2id hash (RFC 9106), version 1.3.
type argon struct {
	memory, passes, lanes uint32 // memory in KiB
	salt, sum             []byte
}

func parseArgon(parts []string) (stored, error) {
	numbers, err := numbers(parts[3], "m=", "t=", "p=")
	if err != nil || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return nil, errHash
	}
	a := argon{memory: numbers[0], passes: numbers[1], lanes: numbers[2]}
	if a.lanes < 1 || a.lanes > maxLanes || a.passes < 1 || a.passes > maxPasses || a.memory < 8*a.lanes || a.memory > maxMemory {
		return nil, errHash
	}
	a.salt, a.sum, err = saltAndSum(parts[4], parts[5], base64.RawStdEncoding)
	return a, err
}

func (a argon) matches(prepared string) bool {
	sum := argon2.IDKey([]byte(prepared), a.salt, a.passes, a.memory, uint8(a.lanes), uint32(len(a.sum)))
	return subtle.ConstantTimeCompare(sum, a.sum) == 1
}

func (a argon) heavy() bool { return a.memory > 2*today.memory || a.lanes > 1 }

func (a argon) String() string {
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, a.memory, a.passes, a.lanes, encode(a.salt), encode(a.sum))
}

// like tells whether a cost as much as b, with a salt and a sum of the same lengths.
func (a argon) like(b argon) bool {
	return a.memory == b.memory && a.passes == b.passes && a.lanes == b.lanes && len(a.salt) == len(b.salt) && len(a.sum) == len(b.sum)
}

type bcrypted string

func parseBcrypt(encoded string) (stored, error) {
	cost, err := bcrypt.Cost([]byte(encoded))
	if err != nil || cost > maxBcryptCost || len(encoded) != 60 || strings.Trim(encoded[7:], bcryptAlphabet) != "" {
		return nil, errHash
	}
	return bcrypted(encoded), nil
}

const bcryptAlphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

func (b bcrypted) matches(prepared string) bool {
	whole := len(prepared) <= maxBcryptPassword
	if !whole { // the work is done all the same: the time tells nothing
		prepared = prepared[:maxBcryptPassword]
	}
	return bcrypt.CompareHashAndPassword([]byte(b), []byte(prepared)) == nil && whole
}

func (bcrypted) heavy() bool { return false }

type pbkdf2ed struct {
	digest    func() hash.Hash
	rounds    int
	salt, sum []byte
}

var digests = map[string]func() hash.Hash{"pbkdf2-sha256": sha256.New, "pbkdf2-sha512": sha512.New}

func parsePBKDF2(parts []string) (stored, error) {
	params, length, ok := strings.Cut(parts[2], ",l=")
	numbers, err := numbers(params, "i=")
	if err != nil {
		return nil, err
	}
	p := pbkdf2ed{digest: digests[parts[1]], rounds: int(numbers[0])}
	p.salt, p.sum, err = saltAndSum(parts[3], parts[4], base64.RawStdEncoding)
	if err != nil || p.rounds < 1 || p.rounds > maxRounds || ok && length != strconv.Itoa(len(p.sum)) {
		return nil, errHash
	}
	return p, nil
}

// parseDjango reads Django's own form: the salt is the text itself, the sum has padding.
func parseDjango(parts []string) (stored, error) {
	numbers, err := numbers(parts[1], "")
	if err != nil {
		return nil, err
	}
	p := pbkdf2ed{digest: sha256.New, rounds: int(numbers[0]), salt: []byte(parts[2])}
	p.sum, err = base64.StdEncoding.Strict().DecodeString(parts[3])
	if err != nil || p.rounds < 1 || p.rounds > maxRounds || len(p.sum) != sha256.Size || len(p.salt) < minSalt || len(p.salt) > maxSalt {
		return nil, errHash
	}
	return p, nil
}

func (p pbkdf2ed) matches(prepared string) bool {
	sum, err := pbkdf2.Key(p.digest, prepared, p.salt, p.rounds, len(p.sum))
	return err == nil && subtle.ConstantTimeCompare(sum, p.sum) == 1
}

func (pbkdf2ed) heavy() bool { return false }

// numbers reads a list with commas whose members begin with the names, in this order. One number has one spelling.
func numbers(text string, names ...string) ([]uint32, error) {
	parts := strings.Split(text, ",")
	if len(parts) != len(names) {
		return nil, errHash
	}
	values := make([]uint32, len(names))
	for i, name := range names {
		digits, ok := strings.CutPrefix(parts[i], name)
		value, err := strconv.ParseUint(digits, 10, 31)
		if !ok || err != nil || strconv.FormatUint(value, 10) != digits {
			return nil, errHash
		}
		values[i] = uint32(value)
	}
	return values, nil
}

func saltAndSum(salt, sum string, encoding *base64.Encoding) ([]byte, []byte, error) {
	a, errA := encoding.Strict().DecodeString(salt)
	b, errB := encoding.Strict().DecodeString(sum)
	// The decoder reads over line breaks; they have no place here.
	if errA != nil || errB != nil || strings.ContainsAny(salt+sum, "\r\n") || len(a) < minSalt || len(a) > maxSalt || len(b) < minSum || len(b) > maxSum {
		return nil, nil, errHash
	}
	return a, b, nil
}
