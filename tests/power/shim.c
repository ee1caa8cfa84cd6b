/* Stands between the server and the C library (LD_PRELOAD) and writes down every change of files below POWER_FOLDER:
 * what was written where, which names came and went, when a sync began and when it was done. tests/power/trace.rs reads
 * the trace. One lock holds an operation and its record together, so the trace has the order in which things happened;
 * only the waiting of a sync lies outside. A record is written after its operation and with one call: a kill at any
 * moment leaves at most one operation untold, which nobody was told of, or one torn record at the end.
 * What is not modelled here (mappings, links, copies within the kernel) is not used by the server; a test compares the
 * whole trace with the files as they are, and would see it.
 *
 * While the file POWER_FAULT says "eio-sync", syncs of `db` fail; with "eio-exchanged" those of folders do once another
 * store has taken its name; with "hang-sync" no sync ends; with "enospc" nothing more can be written; with "erofs" nothing can be
 * changed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ({ \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name); \
    real; })
#define FILES 65536
#define FAIL(code) do { errno = (code); return -1; } while (0)

enum fault { WORKS, EIO_SYNC, EIO_EXCHANGED, HANGING_SYNC, NO_SPACE, READ_ONLY };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char folder[PATH_MAX];
static int trace = -1;
static int64_t syncs;

/* Whether it is a folder, and the store is another one than at the first call. */
static int is_of_another(int fd) {
    static ino_t first;
    char path[PATH_MAX + 16];
    struct stat now;
    snprintf(path, sizeof path, "%s/data/store", folder);
    if (stat(path, &now)) return 0;
    if (!first) first = now.st_ino;
    return now.st_ino != first && !fstat(fd, &now) && S_ISDIR(now.st_mode);
}

/* By descriptor: 0 for what is not ours, 1 for our files and folders, 2 for the log. */
static volatile char ours[FILES];

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("POWER_TRACE"), *below = getenv("POWER_FOLDER");
    if (!path || !below) return;
    trace = REAL(open)(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    snprintf(folder, sizeof folder, "%s", below);
    if (trace < 0) { perror("POWER_TRACE"); abort(); }
}

static int is_ours(int fd) { return fd >= 0 && fd < FILES && ours[fd]; }

static void record(char kind, int fd, int64_t a, int64_t b, const void *bytes, size_t length) {
    struct __attribute__((packed)) { uint32_t length; char kind; int32_t fd; int64_t a, b; } head =
        { (uint32_t)length, kind, fd, a, b };
    struct iovec parts[] = { { &head, sizeof head }, { (void *)bytes, length } };
    if (REAL(writev)(trace, parts, 2) != (ssize_t)(sizeof head + length)) {
        fputs("the trace cannot be written\n", stderr);
        abort();
    }
}

static void end(void) { int kept = errno; pthread_mutex_unlock(&lock); errno = kept; }

static enum fault fault(void) {
    const char *path = getenv("POWER_FAULT");
    char text[16] = "";
    int kept = errno, fd = path ? REAL(open)(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        if (read(fd, text, sizeof text - 1) < 0) abort();
        REAL(close)(fd);
    }
    errno = kept;
    if (!strcmp(text, "eio-sync")) return EIO_SYNC;
    if (!strcmp(text, "eio-exchanged")) return EIO_EXCHANGED;
    if (!strcmp(text, "hang-sync")) return HANGING_SYNC;
    if (!strcmp(text, "enospc")) return NO_SPACE;
    if (!strcmp(text, "erofs")) return READ_ONLY;
    return WORKS;
}

/* Where a path is below the folder; NULL if elsewhere. */
static const char *below(int at, const char *path, char *whole) {
    char base[PATH_MAX] = "", link[40];
    if (trace < 0) return NULL;
    if (path[0] == '/') snprintf(whole, PATH_MAX, "%s", path);
    else {
        snprintf(link, sizeof link, at == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", at);
        if (readlink(link, base, sizeof base - 1) < 0) return NULL;
        if ((size_t)snprintf(whole, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return NULL;
    }
    size_t length = strlen(folder);
    if (strncmp(whole, folder, length) || (whole[length] && whole[length] != '/')) return NULL;
    return whole + length + (whole[length] == '/');
}

static int opening(int at, const char *path, int flags, mode_t mode) {
    char whole[PATH_MAX];
    const char *name = below(at, path, whole);
    if (!name) return REAL(openat)(at, path, flags, mode);
    int changes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
    enum fault now = changes ? fault() : WORKS;
    pthread_mutex_lock(&lock);
    int fresh = flags & O_CREAT && faccessat(at, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0, fd = -1;
    if (now == READ_ONLY) errno = EROFS;
    else if (now == NO_SPACE && fresh) errno = ENOSPC;
    else fd = REAL(openat)(at, path, flags, mode);
    if (fd >= FILES) abort();
    if (fd >= 0) {
        const char *last = strrchr(name, '/');
        ours[fd] = last && !strcmp(last, "/db") ? 2 : 1;
        record('O', fd, fresh, (flags & O_TRUNC) != 0, name, strlen(name));
    }
    end();
    return fd;
}

#define MODE \
    mode_t mode = 0; \
    if (flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE) { \
        va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); \
    }
int open(const char *path, int flags, ...) { MODE return opening(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE return opening(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE return opening(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE return opening(at, path, flags, mode); }
int creat(const char *path, mode_t mode) { return opening(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

/* All writes end here; `at` < 0 writes at the descriptor's own place. */
static ssize_t writing(int fd, const struct iovec *parts, int count, off_t at) {
    switch (fault()) {
    case NO_SPACE: FAIL(ENOSPC);
    case READ_ONLY: FAIL(EROFS);
    default: break;
    }
    pthread_mutex_lock(&lock);
    ssize_t done = at < 0 ? REAL(writev)(fd, parts, count) : REAL(pwritev)(fd, parts, count, at);
    off_t place = at < 0 && done > 0 ? lseek(fd, 0, SEEK_CUR) - done : at;
    for (ssize_t left = done; left > 0; parts++) {
        size_t length = (size_t)left < parts->iov_len ? (size_t)left : parts->iov_len;
        record('W', fd, place, 0, parts->iov_base, length);
        place += length;
        left -= length;
    }
    end();
    return done;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    struct iovec part = { (void *)bytes, length };
    return is_ours(fd) ? writing(fd, &part, 1, -1) : REAL(write)(fd, bytes, length);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    return is_ours(fd) ? writing(fd, parts, count, -1) : REAL(writev)(fd, parts, count);
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    struct iovec part = { (void *)bytes, length };
    return is_ours(fd) ? writing(fd, &part, 1, at) : REAL(pwrite)(fd, bytes, length, at);
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) { return pwrite(fd, bytes, length, at); }
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
    return is_ours(fd) ? writing(fd, parts, count, at) : REAL(pwritev)(fd, parts, count, at);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) { return pwritev(fd, parts, count, at); }

int ftruncate(int fd, off_t length) {
    if (!is_ours(fd)) return REAL(ftruncate)(fd, length);
    if (fault() == READ_ONLY) FAIL(EROFS);
    pthread_mutex_lock(&lock);
    int done = REAL(ftruncate)(fd, length);
    if (!done) record('L', fd, length, 0, "", 0);
    end();
    return done;
}
int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

int posix_fallocate(int fd, off_t from, off_t length) {
    if (!is_ours(fd)) return REAL(posix_fallocate)(fd, from, length);
    enum fault now = fault();
    if (now == NO_SPACE || now == READ_ONLY) return now == NO_SPACE ? ENOSPC : EROFS;
    pthread_mutex_lock(&lock);
    int done = REAL(posix_fallocate)(fd, from, length);
    if (!done) record('A', fd, from + length, 0, "", 0);
    end();
    return done;
}
int posix_fallocate64(int fd, off64_t from, off64_t length) { return posix_fallocate(fd, from, length); }
int fallocate(int fd, int mode, off_t from, off_t length) {
    if (!is_ours(fd)) return REAL(fallocate)(fd, mode, from, length);
    if (mode) FAIL(EOPNOTSUPP);
    errno = posix_fallocate(fd, from, length);
    return errno ? -1 : 0;
}
int fallocate64(int fd, int mode, off64_t from, off64_t length) { return fallocate(fd, mode, from, length); }

static int syncing(int fd, int only_data) {
    enum fault now = fault();
    int fails = (ours[fd] == 2 && now == EIO_SYNC) || (now == EIO_EXCHANGED && is_of_another(fd));
    pthread_mutex_lock(&lock);
    int64_t number = ++syncs;
    record('S', fd, number, only_data, "", 0);
    end();
    while (fault() == HANGING_SYNC) usleep(10000);
    int done = fails ? -1 : only_data ? REAL(fdatasync)(fd) : REAL(fsync)(fd);
    pthread_mutex_lock(&lock);
    record(done ? 'X' : 'E', fd, number, 0, "", 0);
    if (fails) errno = EIO;
    end();
    return done;
}
int fsync(int fd) { return is_ours(fd) ? syncing(fd, 0) : REAL(fsync)(fd); }
int fdatasync(int fd) { return is_ours(fd) ? syncing(fd, 1) : REAL(fdatasync)(fd); }

/* A change of names: the record has one path, or two with 0x00 between them. */
static int naming(char kind, int from_at, const char *from, int to_at, const char *to, int flags) {
    char first[PATH_MAX], second[PATH_MAX], both[2 * PATH_MAX];
    const char *name = below(from_at, from, first), *other = to ? below(to_at, to, second) : NULL;
    enum fault now = name || other ? fault() : WORKS;
    if (now == READ_ONLY) FAIL(EROFS);
    if (now == NO_SPACE && kind == 'M') FAIL(ENOSPC);
    if (name || other) pthread_mutex_lock(&lock);
    int done = kind == 'R' ? REAL(renameat2)(from_at, from, to_at, to, (unsigned)flags)
             : kind == 'M' ? REAL(mkdirat)(from_at, from, (mode_t)flags)
             : REAL(unlinkat)(from_at, from, flags);
    if (!name && !other) return done;
    int length = snprintf(both, sizeof both, "%s%c%s", name ? name : "", 0, other ? other : "");
    if (!done) record(kind, -1, 0, 0, both, to ? (size_t)length : (size_t)length - 1);
    end();
    return done;
}
int rename(const char *from, const char *to) { return naming('R', AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_at, const char *from, int to_at, const char *to) {
    return naming('R', from_at, from, to_at, to, 0);
}
int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    return naming('R', from_at, from, to_at, to, (int)flags);
}
int mkdir(const char *path, mode_t mode) { return naming('M', AT_FDCWD, path, 0, NULL, (int)mode); }
int mkdirat(int at, const char *path, mode_t mode) { return naming('M', at, path, 0, NULL, (int)mode); }
int unlink(const char *path) { return naming('U', AT_FDCWD, path, 0, NULL, 0); }
int unlinkat(int at, const char *path, int flags) { return naming('U', at, path, 0, NULL, flags); }
int rmdir(const char *path) { return naming('U', AT_FDCWD, path, 0, NULL, AT_REMOVEDIR); }

int close(int fd) {
    if (!is_ours(fd)) return REAL(close)(fd);
    pthread_mutex_lock(&lock);
    /* Before it is done: once it is, the number may be that of a socket. */
    ours[fd] = 0;
    record('C', fd, 0, 0, "", 0);
    int done = REAL(close)(fd);
    end();
    return done;
}

static int doubled(int from, int to) {
    if (to >= FILES) abort();
    if (to >= 0 && is_ours(from)) {
        pthread_mutex_lock(&lock);
        ours[to] = ours[from];
        record('D', to, from, 0, "", 0);
        end();
    }
    return to;
}
int dup(int from) { return doubled(from, REAL(dup)(from)); }
int dup2(int from, int to) { return doubled(from, REAL(dup2)(from, to)); }
int dup3(int from, int to, int flags) { return doubled(from, REAL(dup3)(from, to, flags)); }
static int controlling(int fd, int command, void *argument) {
    int done = REAL(fcntl)(fd, command, argument);
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? doubled(fd, done) : done;
}
#define ARGUMENT va_list rest; va_start(rest, command); void *argument = va_arg(rest, void *); va_end(rest);
int fcntl(int fd, int command, ...) { ARGUMENT return controlling(fd, command, argument); }
int fcntl64(int fd, int command, ...) { ARGUMENT return controlling(fd, command, argument); }
