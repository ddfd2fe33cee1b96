package hashing

import (
	"os"
	"strconv"
	"syscall"
)

// niceness leaves a tenth of a busy processor to hashes: everybody else goes first, and nobody waits for ever.
const niceness = 10

// yield lowers the priority of all threads there are; those to come are made by these, and take after them. (Linux has
// priorities of threads, not of processes.)
func yield() error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			return err
		}
		if err := syscall.Setpriority(syscall.PRIO_PROCESS, id, niceness); err != nil {
			return err
		}
	}
	return nil
}
