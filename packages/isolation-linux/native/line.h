/* A line of JSON, put together piece by piece. What does not fit is cut off. */
#ifndef CONFINE_LINE_H
#define CONFINE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_LINE (8 * 1024)

struct line {
	size_t length;
	char text[MAX_LINE];
};

void put(struct line *line, const char *text);
void put_number(struct line *line, uint64_t value, unsigned int base);
/*
 * Writes bytes that anybody may have chosen as a JSON string. Each byte that
 * is no plain ASCII becomes \u00XX; the host puts them together again.
 * Returns whether all of them fitted.
 */
bool put_bytes(struct line *line, const char *bytes, size_t size, size_t bound);
bool put_string(struct line *line, const char *text, size_t bound);

#endif
