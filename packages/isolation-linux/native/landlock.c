/*
 * Landlock: a second wall for files, TCP, abstract sockets and signals, from
 * before exec on. It only ever takes away, so each file that the guest's node
 * reads while it boots is named. The supervisor has none: who is restricted
 * may read the memory of those only who are restricted below it. landlock(7)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "landlock-abis.h"
#include "launch.h"

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define CREATE_RULESET_VERSION 1
#define RULE_PATH_BENEATH 1
#define FS_EXECUTE (1ull << 0)
#define FS_WRITE_FILE (1ull << 1)
#define FS_READ_FILE (1ull << 2)
#define FS_READ_DIR (1ull << 3)
#define FS_REMOVE_DIR (1ull << 4)
#define FS_REMOVE_FILE (1ull << 5)
#define FS_MAKE_DIR (1ull << 7)
#define FS_MAKE_REG (1ull << 8)
#define FS_REFER (1ull << 13)
#define FS_TRUNCATE (1ull << 14)

/* What a guest does in a place that it may write to. It makes no links, sockets, pipes and devices. */
#define WRITES_FILE (FS_WRITE_FILE | FS_TRUNCATE)
#define WRITES_DIRECTORY                                              \
	(WRITES_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | \
	 FS_MAKE_REG | FS_REFER)

struct path_rule {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

static void allow(const struct side *side, int ruleset, uint64_t known,
		  const struct place *place)
{
	struct path_rule rule = { .allowed = FS_READ_FILE };
	struct stat status;

	rule.parent = open(place->path, O_PATH | O_CLOEXEC);
	/* In the host's root it may not be there, and then nobody opens it. */
	if (rule.parent < 0 && errno == ENOENT && place->kind == PLACE_EMPTY)
		return;
	if (rule.parent < 0 || fstat(rule.parent, &status) != 0)
		fail(side, STAGE_LANDLOCK, "open", place->path);
	if (S_ISDIR(status.st_mode))
		rule.allowed |= FS_READ_DIR;
	if (place->kind == PLACE_EXEC)
		rule.allowed |= FS_EXECUTE;
	if (place->kind == PLACE_GRANT_WRITE)
		rule.allowed |= S_ISDIR(status.st_mode) ? WRITES_DIRECTORY :
							  WRITES_FILE;
	rule.allowed &= known;
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule,
		    0) != 0)
		fail(side, STAGE_LANDLOCK, "allow", place->path);
	close(rule.parent);
}

/* Nothing allows to list the root: argv cannot name it. */
void assert_restricted(const struct side *side)
{
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (root < 0 && errno == EACCES)
		return;
	errno = 0;
	fail(side, STAGE_VERIFY, "see that the guest has",
	     "Landlock: it can list /");
}

uint32_t restrict_files(const struct side *side, const struct options *options)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   CREATE_RULESET_VERSION);
	const struct place scratch = { .kind = PLACE_GRANT_WRITE,
				       .path = SCRATCH_PATH };
	size_t known = sizeof(abis) / sizeof(*abis);
	int ruleset;

	/* EPERM: a container's profile that is older than Landlock. */
	if (abi < 0 &&
	    (errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM))
		return 0;
	if (abi < 1)
		fail(side, STAGE_LANDLOCK, "ask for the version", "");
	if ((size_t)abi < known)
		known = (size_t)abi;
	ruleset =
		(int)syscall(SYS_landlock_create_ruleset,
			     &abis[known - 1].ruleset, abis[known - 1].size, 0);
	if (ruleset < 0)
		fail(side, STAGE_LANDLOCK, "create a ruleset", "");
	for (size_t i = 0; i < options->place_count; i++)
		if (options->places[i].kind != PLACE_LINK)
			allow(side, ruleset,
			      abis[known - 1].ruleset.handled_files,
			      &options->places[i]);
	if (options->scratch_mib > 0)
		allow(side, ruleset, abis[known - 1].ruleset.handled_files,
		      &scratch);
#ifndef WITHOUT_LANDLOCK
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		fail(side, STAGE_LANDLOCK, "enforce the ruleset", "");
#endif
	close(ruleset);
	return (uint32_t)known;
}
