/* What the guest's world is made of, and who it is in it. */
#ifndef CONFINE_WORLD_H
#define CONFINE_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum tier {
	TIER_FULL, /* namespaces, and a user namespace around them */
	TIER_ROOT, /* the same namespaces by the privileges of root */
	TIER_BARE, /* none: Landlock and seccomp alone */
	TIER_COUNT,
};

struct world {
	enum tier tier;
	/* The guest's, as the supervisor sees it. */
	uid_t uid;
	gid_t gid;
	bool is_changed; /* they are not those of who launched, without a user namespace */
	bool is_own; /* and nobody else has them */
	bool is_verified;
	uint32_t layers;
	char because[TIER_COUNT][1024]; /* why it is not this one */
};

const char *tier_name(enum tier tier);

/* What holds the guest; the names stand in report.c. */
#define LAYER_USER_NS (1u << 0)
#define LAYER_MOUNT_NS (1u << 1)
#define LAYER_PID_NS (1u << 2)
#define LAYER_NET_NS (1u << 3)
#define LAYER_IPC_NS (1u << 4)
#define LAYER_UTS_NS (1u << 5)
#define LAYER_CGROUP_NS (1u << 6)
#define LAYER_NO_NESTED_USER_NS (1u << 7)
#define LAYER_READ_ONLY_ROOT (1u << 8)
#define LAYER_NO_CAPABILITIES (1u << 9)
#define LAYER_NO_NEW_PRIVS (1u << 10)
#define LAYER_SECCOMP_NOTIFY (1u << 11)
#define LAYER_OWN_UID (1u << 12)
#define LAYER_NO_NEW_DESCRIPTORS (1u << 13)
#define LAYER_CGROUP_MEMORY (1u << 14)
#define LAYER_CGROUP_PIDS (1u << 15)

#endif
