// A file descriptor with an owner. Shared where a thread of the pool may be in a system call on it while the connection
// is closed: the number must not go to another file before that call has returned.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <memory>

namespace aws_lc {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  // A duplicate of `fd`; null, with errno set, where there is none to be had.
  static std::shared_ptr<const Descriptor> Duplicate(int fd) {
    const int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return duplicate < 0 ? nullptr : std::make_shared<const Descriptor>(duplicate);
  }

  int fd() const { return fd_; }

 private:
  const int fd_;
};

}  // namespace aws_lc
