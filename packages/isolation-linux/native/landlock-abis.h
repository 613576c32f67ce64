/* What each ABI of Landlock can take away. landlock(7), linux/landlock.h */
#ifndef CONFINE_LANDLOCK_ABIS_H
#define CONFINE_LANDLOCK_ABIS_H

#include <stddef.h>
#include <stdint.h>

/* The newest layout; an older kernel gets the part that it knows. */
struct ruleset {
	uint64_t handled_files;
	uint64_t handled_network;
	uint64_t scoped;
};

/* And the size of its struct. The last one is for every kernel that is newer. */
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
	{ { (1ull << 16) - 1, 3, 3 }, 24 }, /* 7: what is logged */
	{ { (1ull << 16) - 1, 3, 3 }, 24 }, /* 8: all threads at once */
	{ { (1ull << 17) - 1, 3, 3 }, 24 }, /* 9: unix sockets by path */
};

#endif
