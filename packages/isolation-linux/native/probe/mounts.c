/*
 * The mount calls of Linux 5.2 and 5.12. In a mount namespace they are done;
 * where there is none, find_*() only sees whether the kernel knows them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../mounts.h"
#include "probe.h"

/* Every answer but "no such call" is one of the call's own. */
static void find(struct trial *trial, const char *step, long result)
{
	if (result < 0 && errno == ENOSYS)
		give_up(trial, step);
	if (result >= 0)
		close((int)result);
}

void find_open_tree(struct trial *trial)
{
	find(trial, "open_tree", syscall(SYS_open_tree, -1, "", 0));
}

void find_mount_setattr(struct trial *trial)
{
	find(trial, "mount_setattr",
	     syscall(SYS_mount_setattr, -1, "", 0, NULL, 0));
}

void find_fsopen(struct trial *trial)
{
	find(trial, "fsopen", syscall(SYS_fsopen, NULL, 0));
}

void find_move_mount(struct trial *trial)
{
	find(trial, "move_mount", syscall(SYS_move_mount, -1, "", -1, "", 0));
}

static int open_copy(struct trial *trial)
{
	int tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/",
				OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
					AT_RECURSIVE);

	if (tree < 0)
		give_up(trial, "open_tree");
	return tree;
}

void copy_tree(struct trial *trial)
{
	own_mounts(trial);
	close(open_copy(trial));
}

void make_read_only(struct trial *trial)
{
	struct mount_attributes wanted = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
			    MOUNT_ATTR_NODEV,
		.propagation = MS_PRIVATE,
	};
	int tree;

	own_mounts(trial);
	tree = open_copy(trial);
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE,
		    &wanted, sizeof(wanted)) != 0)
		give_up(trial, "mount_setattr");
	close(tree);
}

static int open_tmpfs(struct trial *trial)
{
	int context = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	int root;

	if (context < 0)
		give_up(trial, "fsopen");
	if (syscall(SYS_fsconfig, context, CONFINE_FSCONFIG_SET_STRING, "size",
		    "64k", 0) != 0 ||
	    syscall(SYS_fsconfig, context, CONFINE_FSCONFIG_CMD_CREATE, NULL,
		    NULL, 0) != 0)
		give_up(trial, "fsconfig");
	root = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC,
			    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				    MOUNT_ATTR_NOEXEC);
	if (root < 0)
		give_up(trial, "fsmount");
	close(context);
	return root;
}

void make_tmpfs(struct trial *trial)
{
	own_mounts(trial);
	close(open_tmpfs(trial));
}

static int attach(struct trial *trial)
{
	int root = open_tmpfs(trial);

	if (syscall(SYS_move_mount, root, "", AT_FDCWD, "/",
		    MOVE_MOUNT_F_EMPTY_PATH) != 0)
		give_up(trial, "move_mount");
	return root;
}

void attach_tmpfs(struct trial *trial)
{
	own_mounts(trial);
	close(attach(trial));
}

/* The whole way of the launcher, in its order. */
void pivot(struct trial *trial)
{
	int root;

	own_mounts(trial);
	root = attach(trial);
	if (fchdir(root) != 0)
		give_up(trial, "fchdir");
	if (syscall(SYS_pivot_root, ".", ".") != 0)
		give_up(trial, "pivot_root");
	if (umount2(".", MNT_DETACH) != 0)
		give_up(trial, "umount2");
	close(root);
}
