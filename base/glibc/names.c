// SPDX-License-Identifier: Apache-2.0
/*
 * libcap-ng's capng_change_id() asks the name service, which a static program would have to load at
 * run time; nobody here calls it. The linker puts these in the place of what it asks (--wrap), and
 * so nothing of the name service is in the launcher, and nothing warns of it. Linked into the
 * static glibc launcher only.
 */
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

struct passwd *__wrap_getpwuid(uid_t uid);
int __wrap_initgroups(const char *user, gid_t group);

struct passwd *__wrap_getpwuid(uid_t uid)
{
	(void)uid;
	abort();
}

int __wrap_initgroups(const char *user, gid_t group)
{
	(void)user, (void)group;
	abort();
}
