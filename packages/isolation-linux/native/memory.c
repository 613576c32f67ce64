/*
 * The memory of the guest, seen from outside: a hard limit for what it may
 * allocate, set at the lock on top of what node holds by then, and a look at
 * what is resident, for what that limit does not count.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "launch.h"

#define MIB (1024ull * 1024)
/* Memory cannot be filled faster: when to look again follows from what is left. */
#define MIB_PER_MS 4
#define SHORTEST_MS 10
#define LONGEST_MS 250

/* Columns of /proc/<pid>/statm, in pages. proc(5) */
enum column { RESIDENT = 1, DATA = 5, COLUMNS = 7 };

/* Takes /proc along into the time when it cannot be opened any more. */
void watch_memory(const struct side *side, struct watch *watch,
		  const struct options *options, pid_t guest)
{
	char path[64];

	watch->guest = guest;
	watch->page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	snprintf(path, sizeof(path), "/proc/%d/statm", guest);
	watch->statm = open(path, O_RDONLY | O_CLOEXEC);
	/* Nobody has asked for a limit, so nothing is missed. */
	if (watch->statm < 0 && errno == ENOENT && options->resident_mib == 0 &&
	    options->data_mib == 0)
		return;
	if (watch->statm < 0)
		fail(side, STAGE_SUPERVISE, "open", path);
}

/* Returns false when the guest is gone. */
static bool read_statm(const struct watch *watch, uint64_t bytes[COLUMNS])
{
	char text[256];
	ssize_t got = pread(watch->statm, text, sizeof(text) - 1, 0);
	char *at = text;

	if (got <= 0)
		return false;
	text[got] = '\0';
	for (int i = 0; i < COLUMNS; i++)
		bytes[i] = strtoull(at, &at, 10) * watch->page_bytes;
	return bytes[RESIDENT] > 0;
}

void limit_memory(const struct side *side, struct watch *watch,
		  const struct options *options)
{
	uint64_t bytes[COLUMNS];
	struct rlimit data;

	if (watch->statm < 0 || !read_statm(watch, bytes))
		return;
	if (options->resident_mib > 0)
		watch->limit_bytes =
			bytes[RESIDENT] + options->resident_mib * MIB;
	if (options->data_mib == 0)
		return;
	data.rlim_cur = data.rlim_max = bytes[DATA] + options->data_mib * MIB;
	/* ESRCH: the guest is gone. */
	if (prlimit(watch->guest, RLIMIT_DATA, &data, NULL) != 0 &&
	    errno != ESRCH)
		fail(side, STAGE_SUPERVISE, "limit the memory of", "the guest");
}

int look_at_memory(struct watch *watch)
{
	int64_t now, wait;
	uint64_t bytes[COLUMNS];

	if (watch->limit_bytes == 0)
		return -1;
	now = now_ms();
	if (now < watch->due_ms)
		return (int)(watch->due_ms - now);
	if (!read_statm(watch, bytes))
		return -1;
	if (bytes[RESIDENT] > watch->limit_bytes)
		return 0;
	wait = (int64_t)((watch->limit_bytes - bytes[RESIDENT]) / MIB /
			 MIB_PER_MS);
	if (wait < SHORTEST_MS)
		wait = SHORTEST_MS;
	if (wait > LONGEST_MS)
		wait = LONGEST_MS;
	watch->due_ms = now + wait;
	return (int)wait;
}
