// A socket under a descriptor of our own, watched with uv_poll.
#pragma once

#include <uv.h>

#include <memory>
#include <utility>

#include "env_data.h"
#include "socket_transport.h"

namespace aws_lc {

class FdTransport final : public SocketTransport {
 public:
  // The descriptor is ready, or broken (then reading or writing tells how).
  class Listener {
   public:
    virtual void OnReady(bool readable, bool writable) = 0;

   protected:
    ~Listener() = default;
  };

  // Duplicates `fd`: libuv watches a descriptor number once, and the number it came under belongs to a net.Socket.
  // Answers null and sets *error to an errno on failure.
  static std::unique_ptr<FdTransport> Open(EnvData* env_data, int fd, Listener* listener, int* error);
  // The same with the descriptor itself.
  static std::unique_ptr<FdTransport> Adopt(EnvData* env_data, std::shared_ptr<const Descriptor> descriptor,
                                            Listener* listener, int* error);
  // Closes the descriptor at once, unless somebody shares it; libuv's handle frees itself later.
  ~FdTransport() override;

  // What is wanted no longer is watched until it happens: libuv takes two system calls for every change, and what ends in
  // one turn of the loop has often begun again before the next.
  void Watch(bool readable, bool writable);
  void SetReferenced(bool referenced);

 private:
  struct PollHandle {
    uv_poll_t poll;
    std::shared_ptr<EnvData> env_data;
    FdTransport* transport;
  };

  FdTransport(std::shared_ptr<const Descriptor> descriptor, Listener* listener)
      : SocketTransport(std::move(descriptor)), listener_(listener) {}
  static void OnPoll(uv_poll_t* poll, int status, int events);
  void WatchWanted();
  void UpdateReference();

  Listener* listener_;
  PollHandle* handle_ = nullptr;
  int wanted_ = 0;
  int watched_ = 0;
  bool referenced_ = true;
};

}  // namespace aws_lc
