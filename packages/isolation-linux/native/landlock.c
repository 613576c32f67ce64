/*
 * Landlock: a second wall for files, TCP, abstract sockets and signals, from
 * before exec on. It only ever takes away, so each file that the guest's node
 * reads while it boots is named. landlock(7)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launch.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define CREATE_RULESET_VERSION 1
#define RULE_PATH_BENEATH 1
#define FS_EXECUTE (1ull << 0)
#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)

/* The newest layout; an older kernel gets the part that it knows. */
struct ruleset {
	uint64_t handled_files;
	uint64_t handled_network;
	uint64_t scoped;
};

struct path_rule {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

/* What each ABI can take away, and the size of its struct. */
static const struct {
	struct ruleset ruleset;
	size_t size;
} abis[] = {
	{ { (1ull << 13) - 1, 0, 0 }, 8 },  /* 1: files */
	{ { (1ull << 14) - 1, 0, 0 }, 8 },  /* 2: moves between directories */
	{ { (1ull << 15) - 1, 0, 0 }, 8 },  /* 3: truncate */
	{ { (1ull << 15) - 1, 3, 0 }, 16 }, /* 4: TCP bind and connect */
	{ { (1ull << 16) - 1, 3, 0 }, 16 }, /* 5: ioctl on devices */
	{ { (1ull << 16) - 1, 3, 3 }, 24 }, /* 6: abstract sockets, signals */
};

static void allow(const struct side *side, int ruleset,
		  const struct place *place)
{
	struct path_rule rule = { .allowed = FS_READ_FILE };
	struct stat status;

	rule.parent = open(place->path, O_PATH | O_CLOEXEC);
	if (rule.parent < 0 || fstat(rule.parent, &status) != 0)
		fail(side, STAGE_LANDLOCK, "open", place->path);
	if (S_ISDIR(status.st_mode))
		rule.allowed |= FS_READ_DIR;
	if (place->kind == PLACE_EXEC)
		rule.allowed |= FS_EXECUTE;
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule,
		    0) != 0)
		fail(side, STAGE_LANDLOCK, "allow", place->path);
	close(rule.parent);
}

uint32_t restrict_files(const struct side *side, const struct options *options)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   CREATE_RULESET_VERSION);
	size_t known = sizeof(abis) / sizeof(*abis);
	int ruleset;

	if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		return 0;
	if (abi < 1)
		fail(side, STAGE_LANDLOCK, "ask for the version", "");
	if ((size_t)abi < known)
		known = (size_t)abi;
	ruleset = (int)syscall(SYS_landlock_create_ruleset,
			       &abis[known - 1].ruleset, abis[known - 1].size,
			       0);
	if (ruleset < 0)
		fail(side, STAGE_LANDLOCK, "create a ruleset", "");
	for (size_t i = 0; i < options->place_count; i++)
		if (options->places[i].kind != PLACE_LINK)
			allow(side, ruleset, &options->places[i]);
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		fail(side, STAGE_LANDLOCK, "enforce the ruleset", "");
	close(ruleset);
	return (uint32_t)abi;
}
