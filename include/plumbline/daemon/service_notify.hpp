// Tells the service supervisor how we are: sd_notify(3)'s protocol, without its library.
//
// One datagram per message to the socket that NOTIFY_SOCKET names. Without one it says nothing;
// a message that cannot be delivered is lost, as nothing depends on it.

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

  void ready() { send("READY=1"); }
  void stopping() { send("STOPPING=1"); }
  /// One line, shown by `systemctl status`.
  void status(std::string_view text) { send("STATUS=" + std::string(text)); }

 private:
  void send(const std::string& message) const;

  std::string address_;  ///< sun_path; empty: nobody listens
  int descriptor_ = -1;
};

}  // namespace plumbline::daemon
