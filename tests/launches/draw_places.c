// SPDX-License-Identifier: Apache-2.0
/* What is shown, hidden and made up: --ro --rw --overlay --hide --tmpfs --dir --symlink --file. */
#include <stdio.h>
#include <string.h>

#include "tests/launches/launches.h"

/* The same path in other words. */
const char *place_spell(struct launch *l, const char *path)
{
	const size_t n = strlen(world.top);

	if (strncmp(path, world.top, n) != 0)
		return path;
	switch (draw(l, 6)) {
	case 0:
		return launch_text(l, "..%s", path + n);
	case 1:
		return launch_text(l, "%s/", path);
	case 2:
		return launch_text(l, "%s/./home/..%s", world.top, path + n);
	case 3:
		return launch_text(l, "%s//%s", world.top, path + n + 1);
	default:
		return path;
	}
}

static bool is_taken(struct launch *l, const char *path)
{
	for (size_t i = 0; i < l->n_places; i++)
		if (strcmp(l->places[i].path, path) == 0 && l->places[i].origin == BY_OPTION)
			return true;
	return false;
}

static void add_place(struct launch *l, enum place_kind kind, bool writable, const char *source,
		      const char *path)
{
	struct place *p = &l->places[l->n_places];

	if (is_taken(l, path))
		launch_may_refuse(l, "cannot do both");
	/* more than there is room for is not drawn */
	*p = (struct place){ .kind = kind, .origin = BY_OPTION, .writable = writable };
	snprintf(p->path, sizeof(p->path), "%s", path);
	snprintf(p->source, sizeof(p->source), "%s", source);
	l->n_places++;
}

static const char *node(struct launch *l)
{
	return launch_text(l, "%s", world_path(world_nodes[draw(l, 6)]));
}

/* What cannot be used: each with the words that say so. */
static void draw_bad_place(struct launch *l, const char *name)
{
	switch (draw(l, 5)) {
	case 0:
		launch_option(l, name, world_path("link"));
		break;
	case 1:
		launch_option(l, name, world_path("link/a"));
		break;
	case 2:
		launch_option(l, name, world_path("not-there"));
		break;
	case 3:
		launch_option(l, name, "/proc/self");
		break;
	default:
		launch_option(l, name, "/");
	}
	launch_may_refuse(l, launch_text(l, "' for %s", name));
}

/* --ro, --rw, --overlay */
static void draw_shown(struct launch *l)
{
	static const char *const names[] = { "--ro", "--rw", "--overlay" };
	const uint64_t which = draw(l, l->upper == NO_UPPER && chance(l, 90) ? 2 : 3);
	const char *source = node(l), *path = source;

	if (chance(l, 2)) {
		draw_bad_place(l, names[which]);
		return;
	}
	if (which < 2 && chance(l, 15))
		source = path = launch_text(l, "%s/file", source);
	else if (chance(l, 30))
		path = chance(l, 50) ? "/data/0" : "/data/1";
	if (is_taken(l, path) && chance(l, 95))
		return;
	/* an overlay is made of what lies on disks alone, and writes somewhere */
	if (which == 2)
		launch_may_refuse(l, "overlay");
	add_place(l, which == 2 ? OVERLAID : SHOWN, which == 1, source, path);
	if (path == source)
		launch_option(l, names[which], place_spell(l, source));
	else
		launch_option(l, names[which],
			      launch_text(l, "%s:%s", place_spell(l, source), path));
}

static void draw_made(struct launch *l)
{
	const char *dir = chance(l, 50) ? node(l) : "/data";
	const char *path = launch_text(l, "%s/made-%u", dir, (unsigned)draw(l, 3));

	/* in what is shown, or on a base without an upper, there is no place for it */
	if (is_taken(l, path) && chance(l, 95))
		return;
	launch_may_refuse(l, "made-");
	if (chance(l, 50) || l->n_files == MAX_FILES) {
		launch_option(l, "--symlink",
			      launch_text(l, "to/%u:%s", (unsigned)l->n_places, path));
		launch_tell(l, "made-link=%s:to/%u", path, (unsigned)l->n_places);
	} else {
		char *text = l->made_files[l->n_files];

		snprintf(text, sizeof(l->made_files[0]), "yield %u", (unsigned)draw(l, 1000));
		launch_option(l, "--file",
			      launch_text(l, "%d:%s", FD_FILE + (int)l->n_files, path));
		launch_tell(l, "made-file=%s:%s", path, text);
		l->n_files++;
	}
	add_place(l, MADE, false, "", path);
}

static void draw_covering(struct launch *l)
{
	static const char *const names[] = { "--hide", "--tmpfs", "--dir" };
	static const enum place_kind kinds[] = { HIDDEN, EMPTY, BARE };
	const uint64_t which = draw(l, 3);
	const char *path = node(l);

	if (which == 0 && chance(l, 25))
		path = launch_text(l, "%s/file", path);
	else if (which > 0 && chance(l, 25))
		path = chance(l, 50) ? "/data/0" : "/data/1";
	else if (which == 0 && chance(l, 10))
		path = "/etc/passwd";
	if (is_taken(l, path) && chance(l, 95))
		return;
	if (l->n_bases > 0)
		launch_may_refuse(l, path);
	add_place(l, kinds[which], which == 1, path, path);
	launch_option(l, names[which], place_spell(l, path));
}

void places_draw(struct launch *l)
{
	for (uint64_t n = draw(l, 7); n > 0; n--) {
		switch (draw(l, 8)) {
		case 0:
			draw_made(l);
			break;
		case 1:
		case 2:
		case 3:
			draw_covering(l);
			break;
		default:
			draw_shown(l);
		}
	}
	/* A place in a place has to have somewhere to begin: in what is shown, in what no upper can
	 * take. */
	for (size_t i = 0; i < l->n_places; i++) {
		for (size_t k = 0; k < l->n_places; k++) {
			const struct place *in = &l->places[i], *of = &l->places[k];
			const size_t n = strlen(of->path);

			if (i != k && strncmp(in->path, of->path, n) == 0 && in->path[n] == '/')
				launch_may_refuse(l, in->path);
		}
		if (l->upper == NO_UPPER || l->n_bases > 0)
			launch_may_refuse(l, l->places[i].path);
	}
}
