/* settings_secret.c - secrets that the program makes for itself, in the state folder.
 *
 * Two processes may start at once: each writes a file of its own and links it to the name that counts, which
 * only one can do; the other reads what is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "settings_priv.h"

enum { SECRET_BYTES = 16, SECRET_DIGITS = 2 * SECRET_BYTES, SECRET_FILE_MAX = 256 };

static int make_folder(const char *path)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -errno;
}

static int write_all(int fd, const char *data, size_t len)
{
	ssize_t n = write(fd, data, len);

	if (n < 0)
		return -errno;
	return (size_t)n == len && fsync(fd) == 0 ? 0 : -EIO;
}

static int make_digits(char out[static SECRET_DIGITS + 1])
{
	unsigned char bytes[SECRET_BYTES];
	unsigned i;

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	for (i = 0; i < SECRET_BYTES; i++)
		snprintf(out + (size_t)2 * i, 3, "%02x", bytes[i]);
	return 0;
}

/* A new secret at path, unless one is there already. */
static int make_secret(const char *path)
{
	struct buf temporary = { 0 };
	char digits[SECRET_DIGITS + 1];
	int fd, rc = make_digits(digits);

	if (rc < 0)
		return rc;
	buf_addf(&temporary, "%s.XXXXXX", path);
	fd = mkstemp(temporary.data); /* for its owner alone */
	if (fd < 0) {
		rc = -errno;
		goto out;
	}
	rc = write_all(fd, digits, SECRET_DIGITS);
	close(fd);
	if (rc == 0 && link(temporary.data, path) < 0 && errno != EEXIST)
		rc = -errno;
	unlink(temporary.data);
out:
	buf_free(&temporary);
	return rc;
}

static int read_secret(const char *path, struct arena *arena, const char **out)
{
	char text[SECRET_FILE_MAX];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n < 0)
		return -EIO;
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	if (n < SECRET_DIGITS || n == sizeof(text) || memchr(text, '\0', (size_t)n))
		return -EINVAL;
	*out = arena_memdup(arena, text, (size_t)n);
	return 0;
}

int settings_secret(const char *state, const char *name, struct arena *arena, const char **out,
		    char *error_text, size_t error_size)
{
	const char *folder = arena_printf(arena, "%s/secrets", state);
	const char *path = arena_printf(arena, "%s/%s", folder, name);
	int rc = read_secret(path, arena, out);

	if (rc == -ENOENT) {
		rc = make_folder(state);
		if (rc == 0)
			rc = make_folder(folder);
		if (rc == 0)
			rc = make_secret(path);
		if (rc == 0)
			rc = read_secret(path, arena, out);
	}
	if (rc == -EINVAL)
		snprintf(error_text, error_size,
			 "%s: must hold a secret of 32 to 255 bytes; remove it and a new one is "
			 "made",
			 path);
	else if (rc < 0)
		snprintf(error_text, error_size, "%s: %s", path, strerrordesc_np(-rc));
	return rc;
}
