// A part of a file on its way to a connection. The file's pages are sent by sendfile(2) where the kernel seals, and read
// for the engine to seal elsewhere; either happens on a thread of the pool, because a file may have to come from a disk.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "descriptor.h"

namespace aws_lc {

// What one step of a transfer came to.
struct FileStep {
  // Bytes that sendfile(2) has handed to the socket.
  size_t sent = 0;
  // Bytes that were read instead, to be sealed.
  std::unique_ptr<uint8_t[]> data;
  size_t length = 0;
  // The socket takes no more for now.
  bool blocked = false;
  // There is no more in the file.
  bool ended = false;
  // Errnos, or zero.
  int file_error = 0;
  int socket_error = 0;
};

// Makes one step, from `offset` to `end` at most. With a socket, which must not block, sendfile(2) is tried first; what it
// refuses is read, which tells a file that cannot be sent so from a connection that is gone.
FileStep RunFileStep(int file, uint64_t offset, uint64_t end, int socket);

class FileTransfer {
 public:
  // Duplicates `fd`, so that closing it does not matter any more. See file_error() for what is wrong with it.
  FileTransfer(int fd, uint64_t start, uint64_t end);

  const std::shared_ptr<const Descriptor>& file() const { return file_; }
  uint64_t offset() const { return offset_; }
  uint64_t end() const { return end_; }
  uint64_t sent() const { return sent_; }
  int file_error() const { return file_error_; }
  // Whether all that was to be sent has been, as far as the file has it.
  bool complete() const { return (ended_ || offset_ == end_) && !cancelled_; }
  bool cancelled() const { return cancelled_; }
  // Whether no further step is to be made.
  bool over() const { return complete() || cancelled_ || file_error_ != 0; }

  void Cancel() { cancelled_ = true; }
  void Advance(size_t sent);
  void End() { ended_ = true; }
  void Fail(int error) { file_error_ = error; }
  // Lets go of the file.
  void Close();

 private:
  std::shared_ptr<const Descriptor> file_;
  uint64_t offset_;
  const uint64_t end_;
  uint64_t sent_ = 0;
  int file_error_ = 0;
  bool ended_ = false;
  bool cancelled_ = false;
};

}  // namespace aws_lc
