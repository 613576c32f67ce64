/* What a directory holds, read without memory of its own: readdir() would take some at each start. */
#ifndef CONFINE_ENTRIES_H
#define CONFINE_ENTRIES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* getdents64(2) */
struct entry {
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

struct entries {
	int directory;
	long size; /* of what was read, -1: it cannot be read */
	long at;
	_Alignas(struct entry) char bytes[4096];
};

/* Returns NULL after the last one, and when `size` says that it cannot be read. */
static inline const char *next_entry(struct entries *entries)
{
	const struct entry *entry;

	if (entries->at >= entries->size) {
		entries->at = 0;
		entries->size = syscall(SYS_getdents64, entries->directory,
					entries->bytes, sizeof(entries->bytes));
		if (entries->size <= 0)
			return NULL;
	}
	entry = (const struct entry *)(entries->bytes + entries->at);
	entries->at += entry->size;
	return entry->name;
}

#endif
