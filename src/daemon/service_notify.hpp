// Tells the service supervisor how we are: sd_notify(3)'s protocol, without its library, which
// waits for the supervisor (docs/decisions/0015-own-code-or-a-library.md).
//
// One datagram per message to the socket that NOTIFY_SOCKET names. Without one it says nothing. A
// supervisor that is busy is not waited for, and told later.

#pragma once

#include <string>
#include <string_view>

namespace plumbline::daemon {

class ServiceNotify {
 public:
  /// `socket` as in NOTIFY_SOCKET: a path, `@name` for an abstract socket, or empty for none.
  explicit ServiceNotify(std::string_view socket);
  ServiceNotify(const ServiceNotify&) = delete;
  ServiceNotify& operator=(const ServiceNotify&) = delete;
  ~ServiceNotify();

  /// From the environment, of which it takes the variable out: programs that we start are not
  /// the service.
  static std::string socket_from_environment();

  void ready() { pending_ready_ = true; }
  void stopping() { static_cast<void>(send("STOPPING=1")); }
  /// One line, shown by `systemctl status`.
  void status(std::string_view text) { pending_status_ = "STATUS=" + std::string(text); }
  /// Sends what is still to be sent, the last status alone, as far as the supervisor takes it now:
  /// false when something is left. Does not wait.
  bool deliver();

 private:
  /// False when it may be taken later.
  [[nodiscard]] bool send(const std::string& message) const;

  std::string address_;  ///< sun_path; empty: nobody listens
  int descriptor_ = -1;
  bool pending_ready_ = false;
  std::string pending_status_;
};

}  // namespace plumbline::daemon
