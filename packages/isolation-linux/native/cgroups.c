/*
 * The cgroups of one guest: below that of the host in version 1, beside it in
 * version 2, where a cgroup with processes of its own has none below it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "entries.h"
#include "keeper.h"
#include "launch.h"

#define MIB (1024ull * 1024)

unsigned long own_namespace(void)
{
	struct stat status;

	return stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
}

/*
 * Removes what keepers have left that were killed themselves. One with
 * processes in it cannot be removed, so a mistake would harm nobody.
 */
static void sweep(int parent, unsigned long own)
{
	struct entries entries = { .directory = parent };
	struct stat status;
	const char *name;

	/* A directory has two links and one for each directory in it. */
	if (fstat(parent, &status) == 0 && status.st_nlink == 2)
		return;
	while ((name = next_entry(&entries)) != NULL) {
		unsigned long namespace;
		int pid, end = 0;

		if (strncmp(name, "confine-", strlen("confine-")) != 0 ||
		    sscanf(name, "confine-%lx-%d%n", &namespace, &pid, &end) !=
			    2 ||
		    name[end] != '\0' || namespace != own || pid <= 0)
			continue;
		if (kill(pid, 0) != 0 && errno == ESRCH)
			unlinkat(parent, name, AT_REMOVEDIR);
	}
}

static int open_file(int directory, const char *name, int flags)
{
	return openat(directory, name, flags | O_CLOEXEC | O_NOFOLLOW);
}

static bool write_text(int fd, const char *text)
{
	return fd >= 0 &&
	       pwrite(fd, text, strlen(text), 0) == (ssize_t)strlen(text);
}

static bool write_number(int fd, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return write_text(fd, text);
}

/* Nobody minds where it is not there. */
static void set_up(int directory, const char *name, const char *text)
{
	int fd = open_file(directory, name, O_WRONLY);

	write_text(fd, text);
	if (fd >= 0)
		close(fd);
}

static void open_memory(struct cgroup *group, int directory)
{
	const bool is_second = group->kind == CGROUP_SECOND;

	group->memory = open_file(
		directory, is_second ? "memory.max" : "memory.limit_in_bytes",
		O_WRONLY);
	if (group->memory < 0)
		return;
	group->usage = open_file(directory,
				 is_second ? "memory.current" :
					     "memory.usage_in_bytes",
				 O_RDONLY);
	group->events = open_file(
		directory, is_second ? "memory.events" : "memory.oom_control",
		O_RDONLY);
	/* What is swapped out would not count. */
	set_up(directory, is_second ? "memory.swap.max" : "memory.swappiness",
	       "0");
	if (is_second)
		set_up(directory, "memory.oom.group", "1");
}

bool make_cgroup(struct cgroup *group, const struct cgroup_parent *parent,
		 unsigned long namespace)
{
	const char *name = group->name;
	int directory;

	*group = (struct cgroup) {
		.kind = parent->kind,
		.parent = -1,
		.processes = -1,
		.memory = -1,
		.usage = -1,
		.events = -1,
		.pids = -1,
		.kill = -1,
	};
	group->parent = open(parent->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (group->parent < 0)
		return false;
	sweep(group->parent, namespace);
	/* By the name everybody can tell whose it is. */
	snprintf(group->name, sizeof(group->name), "confine-%lx-%d", namespace,
		 getpid());
	/* Somebody of the same number may have left it. */
	if (mkdirat(group->parent, name, 0755) != 0 &&
	    (errno != EEXIST ||
	     unlinkat(group->parent, name, AT_REMOVEDIR) != 0 ||
	     mkdirat(group->parent, name, 0755) != 0)) {
		close(group->parent);
		group->parent = -1;
		return false;
	}
	directory =
		openat(group->parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	group->processes = open_file(directory, "cgroup.procs", O_WRONLY);
	if (group->kind != CGROUP_PIDS)
		open_memory(group, directory);
	if (group->kind != CGROUP_MEMORY)
		group->pids = open_file(directory, "pids.max", O_WRONLY);
	if (group->kind == CGROUP_SECOND)
		group->kill = open_file(directory, "cgroup.kill", O_WRONLY);
	close(directory);
	return true;
}

bool move_to_cgroup(const struct cgroup *group, pid_t guest)
{
#ifdef WITHOUT_CGROUPS
	return true;
#endif
	return write_number(group->processes, (uint64_t)guest);
}

/* Returns false when it cannot be read. */
static bool read_number(int fd, uint64_t *number)
{
	char text[32];
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

	if (got <= 0)
		return false;
	text[got] = '\0';
	*number = strtoull(text, NULL, 10);
	return true;
}

/* What the guest held before it came here does not count here, so what it has from here on is its allowance. */
static bool limit_memory_of(const struct cgroup *group,
			    const struct options *options)
{
	uint64_t usage;

	return options->resident_mib > 0 && group->memory >= 0 &&
	       read_number(group->usage, &usage) &&
	       write_number(group->memory, usage + (options->resident_mib +
						    options->scratch_mib) *
							   MIB);
}

uint32_t limit_cgroup(const struct cgroup *group, const struct options *options)
{
	/* Init, which it counts too, is not in here. */
	const struct limit *threads = find_limit(options, RLIMIT_NPROC);
	uint32_t layers = 0;

	if (limit_memory_of(group, options))
		layers |= LAYER_CGROUP_MEMORY;
	if (threads != NULL && group->pids >= 0 &&
	    write_number(group->pids, threads->value - 1))
		layers |= LAYER_CGROUP_PIDS;
	return layers;
}

bool has_run_out_of_memory(const struct cgroup *group)
{
	char text[512];
	ssize_t got = group->events < 0 ?
			      -1 :
			      pread(group->events, text, sizeof(text) - 1, 0);
	const char *at;

	if (got <= 0)
		return false;
	text[got] = '\0';
	at = strstr(text, "\noom_kill ");
	return at != NULL && at[strlen("\noom_kill ")] != '0';
}

bool remove_cgroup(struct cgroup *group)
{
	if (group->parent < 0)
		return true;
	/* Whatever init has not ended, as nobody is there to do it. */
	write_text(group->kill, "1");
	if (unlinkat(group->parent, group->name, AT_REMOVEDIR) != 0 &&
	    errno != ENOENT)
		return false;
	group->parent = -1;
	return true;
}
