/*
 * After the lock, does what its arguments say and writes what came of each:
 * "ok", the first line of what was read, or the number of the error.
 *
 *   files /.confine/lock ACT=PATH[:PATH] ...
 *
 * `dir` and `path` keep a descriptor, which `at`, `fchdir` and `same` use.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#ifndef RENAME_WHITEOUT
#define RENAME_WHITEOUT 4
#endif

static int kept = -1;

static int keep(int fd)
{
	if (fd >= 0)
		kept = fd;
	return fd;
}

/* Writes the first line of an open file. */
static int show(int fd)
{
	char text[256];
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (got < 0)
		return -1;
	text[got] = '\0';
	text[strcspn(text, "\n")] = '\0';
	printf("%s ", text);
	close(fd);
	return 0;
}

/* Waits for the host to make a file. */
static int await(const char *path)
{
	const struct timespec moment = { 0, 10 * 1000 * 1000 };

	printf("waiting\n");
	fflush(stdout);
	for (int i = 0; i < 1000; i++) {
		if (access(path, F_OK) == 0)
			return 0;
		nanosleep(&moment, NULL);
	}
	return -1;
}

static int map(const char *path)
{
	int fd = open(path, O_RDONLY);
	void *memory;

	if (fd < 0)
		return -1;
	memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	return memory == MAP_FAILED ? -1 : 0;
}

/* Memory that can be executed, in three ways. */
static int execute(const char *how)
{
	int protection = PROT_READ | PROT_WRITE;
	char *memory;

	if (strcmp(how, "mmap") == 0)
		protection |= PROT_EXEC;
	memory = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	if (memory == MAP_FAILED)
		return -1;
	if (strcmp(how, "mprotect") == 0)
		return mprotect(memory, 4096, PROT_READ | PROT_EXEC);
	if (strcmp(how, "pkey_mprotect") == 0)
		return (int)syscall(SYS_pkey_mprotect, memory, 4096,
				    PROT_READ | PROT_EXEC, -1);
	return 0;
}

static int act(const char *name, char *path)
{
	char *other = strchr(path, ':');

	if (other != NULL)
		*other++ = '\0';
#define IS(word) (strcmp(name, word) == 0)
	if (IS("read"))
		return show(open(path, O_RDONLY));
	if (IS("dir"))
		return keep(open(path, O_RDONLY | O_DIRECTORY));
	if (IS("path"))
		return keep(open(path, O_PATH | O_DIRECTORY));
	if (IS("at"))
		return show(openat(kept, path, O_RDONLY));
	if (IS("create"))
		return open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (IS("create-setuid"))
		return open(path, O_WRONLY | O_CREAT | O_EXCL, 04755);
	if (IS("unnamed"))
		return open(path, O_WRONLY | O_TMPFILE, 0644);
	if (IS("fchdir"))
		return fchdir(kept);
	if (IS("same"))
		return (int)syscall(SYS_linkat, kept, "", AT_FDCWD, path,
				    AT_EMPTY_PATH);
	if (IS("link"))
		return link(path, other);
	if (IS("symlink"))
		return symlink(path, other);
	if (IS("rename"))
		return rename(path, other);
	if (IS("whiteout"))
		return (int)syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD,
				    other, RENAME_WHITEOUT);
	if (IS("device"))
		return mknod(path, S_IFCHR | 0600, makedev(1, 3));
	if (IS("fifo"))
		return mkfifo(path, 0600);
	if (IS("setuid"))
		return chmod(path, 04755);
	if (IS("setgid"))
		return chmod(path, 02755);
	if (IS("own"))
		return chown(path, 0, 0);
	if (IS("remove"))
		return unlink(path);
	if (IS("execute"))
		return execve(path, (char *[]) { path, NULL }, NULL);
	if (IS("map"))
		return map(path);
	if (IS("memory"))
		return execute(path);
	if (IS("await"))
		return await(path);
#undef IS
	errno = EINVAL;
	return -1;
}

int main(int argc, char **argv)
{
	struct statfs status;

	if (argc < 3)
		return 2;
	if (strcmp(argv[1], "-") != 0)
		statfs(argv[1], &status);
	for (int i = 2; i < argc; i++) {
		char *path = strchr(argv[i], '=');

		if (path == NULL)
			return 2;
		*path++ = '\0';
		errno = 0;
		if (act(argv[i], path) >= 0)
			printf("ok\n");
		else
			printf("%d\n", errno);
	}
	fflush(stdout);
	return 0;
}
