/* close_range(2), Linux 5.9, without the help of libc. */
#ifndef CONFINE_RANGE_H
#define CONFINE_RANGE_H

#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static inline void close_from_to(const struct side *side, unsigned int first,
				 unsigned int last)
{
	if (first <= last && syscall(SYS_close_range, first, last, 0) != 0)
		fail(side, STAGE_PRIVILEGES, "close the descriptors", "");
}

static inline void close_all_but(const struct side *side, int kept)
{
	if (kept > 0)
		close_from_to(side, 0, (unsigned int)kept - 1);
	close_from_to(side, (unsigned int)kept + 1, ~0u);
}

#endif
