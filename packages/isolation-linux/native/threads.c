/*
 * The limit of threads where the kernel has none that fits: it counts by user,
 * and the guest shares its user with others. There every start of a thread
 * goes to the supervisor, who counts. The call is in registers alone, so what
 * is let through is what was looked at.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"

/* How long a start may take that was let through, on a busy machine. */
#define LONGEST_START_MS 1000

uint64_t counted_threads(const struct options *options,
			 const struct world *world)
{
	const struct limit *limit = find_limit(options, RLIMIT_NPROC);

	/* Init is one of them. */
	return limit != NULL && world->tier == TIER_BARE && !world->is_own ?
		       limit->value - 1 :
		       0;
}

void watch_threads(const struct side *side, struct crowd *crowd,
		   const struct options *options, const struct world *world,
		   pid_t guest)
{
	char path[64];

	crowd->most = counted_threads(options, world);
	if (crowd->most == 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/task", guest);
	crowd->tasks = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (crowd->tasks < 0)
		fail(side, STAGE_SUPERVISE, "open", path);
}

/* A directory has two links and one for each directory in it. When the guest is gone there is room. */
static uint64_t count(const struct crowd *crowd)
{
	struct stat status;

	if (syscall(SYS_fstat, crowd->tasks, &status) != 0 ||
	    status.st_nlink < 2)
		return 0;
	return (uint64_t)status.st_nlink - 2;
}

void hear_thread(struct crowd *crowd, pid_t caller)
{
	for (size_t i = 0; i < crowd->starting_count; i++)
		if (crowd->starting[i].caller == caller)
			crowd->starting[i--] =
				crowd->starting[--crowd->starting_count];
}

/* Whoever has not been heard of since is taken for done. */
static void forget_old(struct crowd *crowd, int64_t now)
{
	for (size_t i = 0; i < crowd->starting_count; i++)
		if (now - crowd->starting[i].since_ms > LONGEST_START_MS)
			crowd->starting[i--] =
				crowd->starting[--crowd->starting_count];
}

bool let_thread_start(struct crowd *crowd, pid_t caller)
{
	int64_t now = now_ms();

	forget_old(crowd, now);
	if (crowd->starting_count == MOST_STARTING ||
	    count(crowd) + crowd->starting_count >= crowd->most)
		return false;
	crowd->starting[crowd->starting_count].caller = caller;
	crowd->starting[crowd->starting_count++].since_ms = now;
	return true;
}
