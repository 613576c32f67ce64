/* What stands in argv. */
#ifndef CONFINE_OPTIONS_H
#define CONFINE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

enum place_kind {
	PLACE_READ,	  /* bound read-only from the same path of the host */
	PLACE_EXEC,	  /* the same, and it may be executed */
	PLACE_LINK,	  /* a symbolic link */
	PLACE_EMPTY,	  /* an empty regular file */
	PLACE_GRANT_READ, /* the guest's for good, read-only, not to be executed */
	PLACE_GRANT_WRITE, /* the same, and it may be changed */
};

struct place {
	enum place_kind kind;
	const char *path;
	const char *target; /* PLACE_LINK */
	int tree;	    /* of all that is bound: the detached mount */
};

enum cgroup_kind {
	CGROUP_MEMORY, /* of version 1 */
	CGROUP_PIDS,   /* of version 1 */
	CGROUP_SECOND, /* of version 2, which has both */
};

/* Where a cgroup of the guest's can be made. */
struct cgroup_parent {
	enum cgroup_kind kind;
	const char *path;
};

#define MOST_CGROUPS 4

struct limit {
	int resource;
	rlim_t value;
};

struct options {
	struct place *places;
	size_t place_count;
	struct limit limits[RLIM_NLIMITS];
	size_t limit_count;
	/*
	 * Where the guest's side holds its socket to the supervisor until exec.
	 * The guest's filter lets sendmsg() pass on this number only; it is the
	 * first one that RLIMIT_NOFILE puts out of the guest's reach.
	 */
	int handover;
	const char *hostname;
	const char *lock_path;
	struct cgroup_parent cgroups[MOST_CGROUPS];
	size_t cgroup_count;
	bool kill; /* a violation ends the guest, instead of failing the call */
	bool is_sealed; /* from the lock on the guest gets no new descriptor */
	bool trace;	/* every call is reported */
	/* On top of what the guest holds when it is locked, MiB; 0: no limit. */
	uint64_t resident_mib;
	uint64_t data_mib;
	uint64_t scratch_mib; /* size of the guest's own /tmp, 0: it has none */
	int nice; /* how far the guest stands behind its host, nice(2) */
	char **command;
	char **environment;
};

/* Returns NULL, or the argument that is wrong. */
const char *read_options(int argc, char **argv, struct options *options);
/* Returns NULL when there is none. */
const struct limit *find_limit(const struct options *options, int resource);

#endif
