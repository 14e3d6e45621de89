package sandbox

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuClock is the CPU clock of one thread, readable from any other.
type cpuClock struct {
	id    int32
	start time.Duration
	ok    bool
}

// threadCPU is the calling thread's clock; the caller has locked itself to the thread.
func threadCPU() cpuClock {
	// The kernel's encoding of a thread's scheduling clock: the inverted id above three bits of
	// kind (CPUCLOCK_PERTHREAD 4 + CPUCLOCK_SCHED 2; include/linux/posix-timers_types.h).
	c := cpuClock{id: int32(^uint32(unix.Gettid()))<<3 | 6} // a thread id fits
	c.start, c.ok = c.read()
	return c
}

func (c cpuClock) read() (time.Duration, bool) {
	var t unix.Timespec
	if err := unix.ClockGettime(c.id, &t); err != nil {
		return 0, false
	}
	return time.Duration(t.Nano()), true
}

// used is the CPU time since threadCPU; a day where the system doesn't say, so that the clock on
// the wall decides.
func (c cpuClock) used() time.Duration {
	now, ok := c.read()
	if !ok || !c.ok {
		return 24 * time.Hour
	}
	return now - c.start
}

// processCPU is the CPU time of the process; 0 where the system doesn't say.
func processCPU() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
