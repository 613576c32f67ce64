/* A line of JSON, put together piece by piece. What does not fit is cut off. */
#include <string.h>

#include "line.h"

void put(struct line *line, const char *text)
{
	size_t length = strlen(text);

	if (length > sizeof(line->text) - line->length)
		length = sizeof(line->text) - line->length;
	memcpy(line->text + line->length, text, length);
	line->length += length;
}

void put_number(struct line *line, uint64_t value, unsigned int base)
{
	char digits[24];
	char *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do {
		*--at = "0123456789abcdef"[value % base];
		value /= base;
	} while (value > 0);
	put(line, at);
}

bool put_bytes(struct line *line, const char *bytes, size_t size,
		      size_t bound)
{
	size_t end = line->length + bound;
	size_t at;

	put(line, "\"");
	for (at = 0; at < size; at++) {
		unsigned char byte = (unsigned char)bytes[at];
		char text[7] = { (char)byte };

		if (line->length + sizeof(text) > end)
			break;
		if (byte < 0x20 || byte > 0x7e || byte == '"' || byte == '\\') {
			memcpy(text, "\\u00", 4);
			text[4] = "0123456789abcdef"[byte >> 4];
			text[5] = "0123456789abcdef"[byte & 15];
		}
		put(line, text);
	}
	put(line, "\"");
	return at == size;
}

bool put_string(struct line *line, const char *text, size_t bound)
{
	return put_bytes(line, text, strlen(text), bound);
}
