/* Preloaded into a server under test: keeps an undo log of what it writes to its store and has not
 * synced, so that the harness can take those writes back as a power cut would.
 *
 * While the file is there that POWER_CUT_FAIL names, no sync succeeds, or, if something is in it,
 * none of the database's own file.
 * POWER_CUT_LOG names the log. A record is a header of seven 64-bit words
 *   kind ('W' write or truncate, 'S' sync), path length, offset, length of what was there before,
 *   size of the file before, records of the log when the sync began, 0
 * then the path, then what was there before. The undo of a write is logged before the write, so a
 * kill between the two costs nothing. A sync counts for what was written before it began alone: others
 * write meanwhile.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_fd = -2;
static int64_t records = 0;

static int ends_with(const char *text, size_t length, const char *end) {
    size_t end_length = strlen(end);
    return length >= end_length && memcmp(text + length - end_length, end, end_length) == 0;
}

/* Length of the path when the descriptor is a file of the store, else 0. */
static size_t store_path(int fd, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size);
    if (length <= 0) return 0;
    if (!ends_with(path, (size_t)length, ".db") && !ends_with(path, (size_t)length, ".db-wal")) return 0;
    return (size_t)length;
}

static void put(const void *bytes, size_t length) {
    const char *at = bytes;
    while (length > 0) {
        ssize_t done = syscall(SYS_write, log_fd, at, length);
        if (done <= 0) abort();
        at += done;
        length -= (size_t)done;
    }
}

/* With the lock held, so that the write that follows is done before another record is made. */
static void record(int fd, char kind, off_t offset, size_t count, int64_t began) {
    char path[4096];
    size_t path_length = store_path(fd, path, sizeof path);
    if (path_length == 0) return;
    if (log_fd == -2) {
        const char *name = getenv("POWER_CUT_LOG");
        log_fd = name ? open(name, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
    }
    if (log_fd >= 0) {
        struct stat status;
        fstat(fd, &status);
        int64_t before = 0;
        char *old = NULL;
        if (kind == 'W' && offset < status.st_size) {
            before = status.st_size - offset;
            if ((int64_t)count < before) before = (int64_t)count;
            old = malloc((size_t)before);
            before = syscall(SYS_pread64, fd, old, (size_t)before, offset);
            if (before < 0) abort();
        }
        int64_t header[7] = {kind, (int64_t)path_length, offset, before, status.st_size, began, 0};
        size_t length = sizeof header + path_length + (size_t)before;
        char *whole = malloc(length);
        memcpy(whole, header, sizeof header);
        memcpy(whole + sizeof header, path, path_length);
        if (before > 0) memcpy(whole + sizeof header + path_length, old, (size_t)before);
        put(whole, length);
        records += 1;
        free(whole);
        free(old);
    }
}

ssize_t write(int fd, const void *bytes, size_t count) {
    char path[4096];
    if (fd <= 2 || !store_path(fd, path, sizeof path)) return syscall(SYS_write, fd, bytes, count);
    pthread_mutex_lock(&lock);
    record(fd, 'W', lseek(fd, 0, SEEK_CUR), count, 0);
    ssize_t result = syscall(SYS_write, fd, bytes, count);
    pthread_mutex_unlock(&lock);
    return result;
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
    pthread_mutex_lock(&lock);
    record(fd, 'W', offset, count, 0);
    ssize_t result = syscall(SYS_pwrite64, fd, bytes, count, offset);
    pthread_mutex_unlock(&lock);
    return result;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
    return pwrite64(fd, bytes, count, offset);
}

int ftruncate64(int fd, off64_t length) {
    pthread_mutex_lock(&lock);
    record(fd, 'W', length, SIZE_MAX >> 1, 0);
    int result = (int)syscall(SYS_ftruncate, fd, length);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

/* The sync is logged after it is done: before, nothing of it may be relied on. */
static int synced(int fd, long call) {
    pthread_mutex_lock(&lock);
    int64_t began = records;
    pthread_mutex_unlock(&lock);
    const char *fails = getenv("POWER_CUT_FAIL");
    struct stat status;
    if (fails && stat(fails, &status) == 0) {
        char path[4096];
        size_t length = store_path(fd, path, sizeof path);
        if (status.st_size == 0 || (length > 0 && ends_with(path, length, ".db"))) {
            errno = EIO;
            return -1;
        }
    }
    int result = (int)syscall(call, fd);
    if (result == 0) {
        pthread_mutex_lock(&lock);
        record(fd, 'S', 0, 0, began);
        pthread_mutex_unlock(&lock);
    }
    return result;
}

int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int fsync(int fd) { return synced(fd, SYS_fsync); }
