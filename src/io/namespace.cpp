#include "plumbline/io/namespace.hpp"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <exception>
#include <thread>

#include "plumbline/io/host.hpp"

namespace plumbline::io {

namespace {

// asm-generic/socket.h since Linux 5.14; Debian 12's glibc has it, older headers do not.
#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

Descriptor open_current() {
  Descriptor opened(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!opened) give_up("cannot open the network namespace of this process", errno);
  return opened;
}

std::string path_of(const std::string& name_or_path) {
  if (name_or_path.find('/') != std::string::npos) return name_or_path;
  if (name_or_path.empty() || name_or_path == "." || name_or_path == "..") {
    throw HostError("'" + name_or_path + "' is no name of a network namespace");
  }
  return "/run/netns/" + name_or_path;
}

/// Runs `work` in a thread that ends with it; what is thrown there is thrown here.
void run_in_thread(const std::function<void()>& work) {
  std::exception_ptr failure;
  std::thread([&] {
    try {
      work();
    } catch (...) {
      failure = std::current_exception();
    }
  }).join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

NetworkNamespace NetworkNamespace::open(const std::string& name_or_path) {
  const std::string path = path_of(name_or_path);
  // Not blocking: the path may be a FIFO of somebody's.
  Descriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened) {
    if (errno == ENOENT) throw HostError("there is no network namespace '" + name_or_path + "'");
    give_up("cannot open the network namespace '" + name_or_path + "'", errno);
  }
  // NS_GET_NSTYPE is ENOTTY for what is no namespace (man 2 ioctl_ns).
  if (ioctl(opened.get(), NS_GET_NSTYPE) != CLONE_NEWNET) {
    throw HostError("'" + path + "' is no network namespace");
  }
  return NetworkNamespace(std::move(opened));
}

NetworkNamespace NetworkNamespace::current() { return NetworkNamespace(open_current()); }

NetworkNamespace NetworkNamespace::make_scratch() {
  Descriptor made;
  run_in_thread([&made] {
    if (unshare(CLONE_NEWNET) != 0) give_up("cannot make a network namespace", errno);
    made = open_current();
  });
  return NetworkNamespace(std::move(made));
}

void NetworkNamespace::run(const std::function<void()>& work) const {
  run_in_thread([&] {
    if (setns(get(), CLONE_NEWNET) != 0) give_up("cannot enter the network namespace", errno);
    work();
  });
}

void enter_namespace(const std::string& name_or_path) {
  const auto there = NetworkNamespace::open(name_or_path);
  if (setns(there.get(), CLONE_NEWNET) != 0) {
    give_up("cannot enter the network namespace '" + name_or_path + "'", errno);
  }
}

std::uint64_t namespace_cookie() {
  const Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) give_up("cannot open a socket", errno);
  std::uint64_t cookie = 0;
  socklen_t length = sizeof cookie;
  if (getsockopt(socket.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) != 0) {
    give_up("cannot read the network namespace's cookie (Linux 5.14 or later)", errno);
  }
  return cookie;
}

}  // namespace plumbline::io
