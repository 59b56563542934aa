#include "file_transfer.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "socket_transport.h"

namespace aws_lc {
namespace {

// Given to one call of sendfile(2), so that a thread of the pool serves others in between; whole records.
constexpr uint64_t kSendPerStep = 1024 * 1024;
// Read and sealed in one turn: four whole records.
constexpr uint64_t kReadPerStep = 64 * 1024;

// An errno that keeps the file from being sent by position, or zero.
int CheckFile(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return errno;
  if ((flags & O_PATH) != 0 || (flags & O_ACCMODE) == O_WRONLY) return EBADF;
  struct statx attributes {};
  // The type never changes: a file server need not be asked, which could take long.
  if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &attributes) != 0) return errno;
  if (S_ISDIR(attributes.stx_mode)) return EISDIR;
  return S_ISREG(attributes.stx_mode) || S_ISBLK(attributes.stx_mode) ? 0 : ESPIPE;
}

// Whether the error says that this file cannot be sent so, rather than that something has failed.
bool CannotSendFrom(int error) { return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP; }

// Zero where it cannot be told: files of procfs, for instance, pretend to be empty.
uint64_t SizeOf(int file) {
  struct stat attributes {};
  if (fstat(file, &attributes) != 0 || attributes.st_size <= 0) return 0;
  return static_cast<uint64_t>(attributes.st_size);
}

// Answers false where the file has to be read instead.
bool SendStep(int file, uint64_t offset, uint64_t end, int socket, FileStep* step) {
  // A count beyond the end of the file would leave the last record open, waiting for more.
  const uint64_t size = SizeOf(file);
  if (size == 0) return false;
  step->ended = offset >= size;
  if (step->ended) return true;
  const uint64_t count = std::min({kSendPerStep, end - offset, size - offset});
  auto position = static_cast<off_t>(offset);
  ssize_t result;
  do {
    result = sendfile(socket, file, &position, count);
  } while (result < 0 && errno == EINTR);
  if (result > 0) {
    step->sent = static_cast<size_t>(result);
    if (SocketTransport::IsSocketGone(socket)) step->socket_error = EPIPE;
    step->blocked = step->sent < count;
    step->ended = offset + step->sent == size && size < end && SizeOf(file) == size;
    return true;
  }
  step->ended = result == 0;
  if (step->ended) return true;
  step->blocked = errno == EAGAIN;
  if (!step->blocked && !CannotSendFrom(errno)) step->socket_error = errno;
  return step->blocked;
}

void ReadStep(int file, uint64_t offset, uint64_t end, FileStep* step) {
  const uint64_t count = std::min(kReadPerStep, end - offset);
  step->data.reset(new uint8_t[count]);
  ssize_t result;
  do {
    result = pread(file, step->data.get(), count, static_cast<off_t>(offset));
  } while (result < 0 && errno == EINTR);
  if (result > 0) {
    step->length = static_cast<size_t>(result);
    return;
  }
  step->data.reset();
  if (result == 0) {
    step->ended = true;
  } else {
    step->file_error = errno;
  }
}

}  // namespace

FileStep RunFileStep(int file, uint64_t offset, uint64_t end, int socket) {
  FileStep step;
  if (socket < 0 || !SendStep(file, offset, end, socket, &step)) ReadStep(file, offset, end, &step);
  return step;
}

FileTransfer::FileTransfer(int fd, uint64_t start, uint64_t end)
    : file_(Descriptor::Duplicate(fd)), offset_(start), end_(end) {
  file_error_ = file_ == nullptr ? errno : CheckFile(file_->fd());
}

void FileTransfer::Advance(size_t sent) {
  offset_ += sent;
  sent_ += sent;
}

void FileTransfer::Close() { file_.reset(); }

}  // namespace aws_lc
