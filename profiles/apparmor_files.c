// SPDX-License-Identifier: Apache-2.0
/*
 * The tree as file rules. AppArmor adds allow rules up and lets deny win over all of them, wherever
 * they stand; "the deepest line wins" is made of that so: a place that grants more than what covers
 * it gets an allow rule; one that grants less a deny rule for the difference, which leaves out, by
 * patterns of other names, each tree below it that grants some of that again. Denials are
 * audited, which deny rules by themselves are not.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiles/apparmor_gen.h"
#include "profiles/report.h"

/* A hostile policy's patterns could be many, and the parser takes 20 s for 100 KiB of those that
 * leave something out. */
enum { MAX_PROFILE = 4 << 20, MAX_EXCLUDING = 128 << 10 };

/* What a directory that can be listed has itself. */
#define AA_LISTED ((unsigned)(AA_READ | AA_LOCK))

/* How far a rule reaches from a place. */
static const char *const reaches[] = {
	[AA_ITSELF] = "{,/}",	/* a file or a directory */
	[AA_TREE] = "{,/,/**}", /* and what is below */
	[AA_BELOW] = "/**",	/* what is below alone */
};

static int put_letters(struct buf *out, unsigned perms, bool deny)
{
	static const struct {
		uint8_t perm;
		const char *allow, *deny;
	} letters[] = {
		{ AA_READ, "r", "r" }, { AA_WRITE, "w", "w" }, { AA_LOCK, "k", "k" },
		{ AA_LINK, "l", "l" }, { AA_MMAP, "m", "m" },  { AA_EXEC, "ix", "x" },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(letters) && r == 0; i++) {
		if (perms & letters[i].perm)
			r = buf_puts(out, deny ? letters[i].deny : letters[i].allow);
	}
	return r;
}

static int put_rule(struct buf *out, const char *place, enum aa_reach reach, unsigned perms,
		    bool deny)
{
	if (out->len > MAX_PROFILE)
		return -E2BIG;
	/* the root has no name: "/" itself and what is below */
	if (buf_puts(out, deny ? "  audit deny \"" : "  \"") < 0 || buf_puts(out, place) < 0 ||
	    buf_puts(out, *place	       ? reaches[reach]
			  : reach == AA_TREE   ? "/{,**}"
			  : reach == AA_ITSELF ? "/"
					       : "/**") < 0 ||
	    buf_puts(out, "\" ") < 0 || put_letters(out, perms, deny) < 0)
		return -ENOMEM;
	return buf_puts(out, ",\n");
}

static int put_rules(struct buf *out, const struct aa_patterns *places, enum aa_reach reach,
		     unsigned perms, bool deny)
{
	int r = 0;

	for (size_t i = 0; i < places->n && r == 0 && perms; i++)
		r = put_rule(out, places->text[i], reach, perms, deny);
	return r;
}

/* Whether some place below, or with itself this one, is said to have one of the permissions. */
static bool grants_below(const struct aa_node *node, unsigned perms)
{
	for (const struct aa_node *c = node->children; c; c = c->next) {
		if ((c->stated && (c->perms & perms)) || grants_below(c, perms))
			return true;
	}
	return false;
}

static bool grants(const struct aa_node *node, unsigned perms)
{
	return (node->stated && (node->perms & perms)) || grants_below(node, perms);
}

/* Whether the two permissions are granted at the same places below. */
static bool alike_below(const struct aa_node *node, unsigned a, unsigned b)
{
	for (const struct aa_node *c = node->children; c; c = c->next) {
		if (c->stated && !(c->perms & a) != !(c->perms & b))
			return false;
		if (!alike_below(c, a, b))
			return false;
	}
	return true;
}

/* --- denying a tree but for parts of it --- */

/*
 * Names in a directory are denied by one pattern, of all names but those below which something is
 * granted, unless any name may be such a one.
 */
enum others { OTHERS_ANY, OTHERS_NO_DIGIT, OTHERS_NONE };

static enum others others_of(const struct aa_node *node, unsigned perms)
{
	enum others others = OTHERS_ANY;

	for (const struct aa_node *c = node->children; c; c = c->next) {
		if (c->kind != AA_NAME_LITERAL && grants(c, perms))
			others = c->kind == AA_NAME_ANY ? OTHERS_NONE : OTHERS_NO_DIGIT;
	}
	return others;
}

static bool is_other(enum others others, const struct aa_node *node)
{
	return others == OTHERS_ANY ||
	       (others == OTHERS_NO_DIGIT && (node->name[0] < '1' || node->name[0] > '9'));
}

static int deny_other_names(const struct aa_node *node, const char *place, unsigned perms,
			    enum others others, struct buf *out)
{
	_cleanup_aa_patterns_ struct aa_patterns names = { .n = 0 };
	_cleanup_free_ const char **except = NULL;
	_cleanup_buf_ struct buf prefix = BUF_INIT;
	size_t n = 0;
	int r;

	for (const struct aa_node *c = node->children; c; c = c->next)
		n++;
	except = calloc(n + 1, sizeof(*except));
	if (!except || buf_puts(&prefix, place) < 0 || buf_puts(&prefix, "/") < 0)
		return -ENOMEM;
	n = 0;
	for (const struct aa_node *c = node->children; c; c = c->next) {
		if (c->kind == AA_NAME_LITERAL && grants(c, perms))
			except[n++] = c->name;
	}
	r = aa_pattern_others(prefix.data, except, n,
			      others == OTHERS_ANY ? AA_START_ANY : AA_START_NO_DIGIT, &names);
	return r < 0 ? r : put_rules(out, &names, AA_TREE, perms, true);
}

static int deny_but(const struct aa_node *node, unsigned perms, struct buf *out)
{
	_cleanup_aa_patterns_ struct aa_patterns places = { .n = 0 };
	const enum others others = others_of(node, perms);
	int r = aa_pattern_place(node, &places);

	if (r == 0)
		r = put_rules(out, &places, AA_ITSELF, node->is_list ? perms & ~AA_LISTED : perms,
			      true);
	for (size_t i = 0; i < places.n && r == 0 && others != OTHERS_NONE; i++)
		r = deny_other_names(node, places.text[i], perms, others, out);
	for (const struct aa_node *c = node->children; c && r == 0; c = c->next) {
		_cleanup_aa_patterns_ struct aa_patterns names = { .n = 0 };

		if (c->stated && (c->perms & perms))
			continue;
		if (grants_below(c, perms)) {
			r = deny_but(c, perms, out);
		} else if (c->kind == AA_NAME_LITERAL && !is_other(others, c)) {
			r = aa_pattern_place(c, &names);
			r = r < 0 ? r : put_rules(out, &names, AA_TREE, perms, true);
		}
	}
	return r;
}

/* --- the walk --- */

struct walk {
	const struct policy *policy;
	struct buf *out;
	const char *last_why; /* of the last comment, when it was of something built in */
	size_t excluding;     /* bytes of rules that leave something out */
	const struct aa_node *at;
};

/* The line that speaks, as a comment. */
static int put_why(struct walk *w, const struct aa_node *node)
{
	const bool again = !node->line && w->last_why == node->why;
	_cleanup_buf_ struct buf text = BUF_INIT;

	w->last_why = node->line ? NULL : node->why;
	if (!node->line)
		return again ? 0 : buf_printf(w->out, "  # built in: %s\n", node->why);
	if (report_put_path(node->line, &text) < 0 || buf_puts(&text, " (") < 0 ||
	    report_put_where(w->policy, &node->line->where, &text) < 0 ||
	    buf_puts(w->out, "  # ") < 0 || text_escape(w->out, text.data, text.len) < 0)
		return -ENOMEM;
	return buf_puts(w->out, ")\n");
}

static int deny(struct walk *w, const struct aa_node *node, unsigned perms)
{
	_cleanup_aa_patterns_ struct aa_patterns places = { .n = 0 };
	int r = 0;

	while (perms && r == 0) {
		const unsigned one = perms & -perms;
		unsigned same = one;

		for (unsigned p = one << 1; p <= AA_EXEC; p <<= 1) {
			if ((perms & p) && alike_below(node, one, p))
				same |= p;
		}
		perms &= ~same;
		if (grants_below(node, same)) {
			const size_t before = w->out->len;

			r = deny_but(node, same, w->out);
			w->excluding += w->out->len - before;
			if (r == 0 && w->excluding > MAX_EXCLUDING)
				r = -E2BIG;
			continue;
		}
		aa_patterns_done(&places);
		r = aa_pattern_place(node, &places);
		if (r == 0 && node->is_list)
			r = put_rules(w->out, &places, AA_ITSELF, same & ~AA_LISTED, true);
		if (r == 0)
			r = put_rules(w->out, &places, node->is_list ? AA_BELOW : AA_TREE, same,
				      true);
	}
	return r;
}

static int allow(const struct walk *w, const struct aa_node *node)
{
	_cleanup_aa_patterns_ struct aa_patterns places = { .n = 0 };
	int r = aa_pattern_place(node, &places);

	if (r == 0 && node->is_list)
		r = put_rules(w->out, &places, AA_ITSELF, AA_LISTED, false);
	return r < 0 ? r : put_rules(w->out, &places, AA_TREE, node->perms, false);
}

/*
 * allowed: by rules for places above, which reach here. denied: what rules for places above deny
 * here. The recursion is as deep as a path has names.
 */
static int walk(struct walk *w, const struct aa_node *node, unsigned allowed, unsigned denied)
{
	int r = 0;

	if (node->line)
		w->at = node;
	if (node->stated) {
		const unsigned more = node->perms & ~allowed;

		denied &= ~(unsigned)node->perms;
		allowed |= node->perms;
		if (more || node->is_list || (allowed & ~(node->perms | denied)))
			r = put_why(w, node);
		if (r == 0 && (more || node->is_list))
			r = allow(w, node);
		if (r == 0)
			r = deny(w, node, allowed & ~(node->perms | denied));
		denied |= allowed & ~(unsigned)node->perms;
	}
	for (const struct aa_node *c = node->children; c && r == 0; c = c->next)
		r = walk(w, c, allowed, denied);
	return r;
}

int aa_put_files(const struct policy *policy, const struct aa_node *root, struct buf *out,
		 struct err *err)
{
	struct walk w = { .policy = policy, .out = out };
	_cleanup_buf_ struct buf where = BUF_INIT;
	int r = walk(&w, root, 0, 0);

	if (r == -E2BIG && w.at && report_put_where(policy, &w.at->line->where, &where) == 0) {
		(void)err_set(err, -EOPNOTSUPP, "say the paths of policy '%s' to AppArmor, at %s",
			      policy->name ? policy->name : "", where.data);
		return err_hint(err, "too much is granted again, or too deep, below what is "
				     "refused");
	}
	return r < 0 ? err_set(err, r, "write an AppArmor profile") : 0;
}
