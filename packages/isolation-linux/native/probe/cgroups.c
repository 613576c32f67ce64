/* Whether this user may make a cgroup in a directory: makes one and removes it. */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe.h"

static bool name_cgroup(const struct trial *trial, pid_t child,
			char path[PATH_MAX])
{
	int length = snprintf(path, PATH_MAX, "%s/confine-probe-%d",
			      trial->operand, child);

	return length > 0 && length < PATH_MAX;
}

void make_cgroup(struct trial *trial)
{
	char path[PATH_MAX];

	if (!name_cgroup(trial, getpid(), path))
		give_up_for(trial, "mkdir", ENAMETOOLONG);
	/* This one child outlives the others by two calls, or it would leave a directory. */
	if (prctl(PR_SET_PDEATHSIG, 0) != 0)
		give_up(trial, "start");
	if (mkdir(path, 0700) != 0)
		give_up(trial, "mkdir");
	if (rmdir(path) != 0)
		give_up(trial, "rmdir");
}

void remove_cgroup(const struct trial *trial, pid_t child)
{
	char path[PATH_MAX];

	/* It is there only if the child was ended between two calls. */
	if (name_cgroup(trial, child, path) && rmdir(path) != 0 &&
	    errno != ENOENT)
		fprintf(stderr, "confine-probe: Cannot remove %s\n", path);
}
