// Somebody on the wire who speaks Ethernet, or IP, in user space: a guest behind its TAP, a remote
// host, the far end of a tunnel, and a sniffer of what comes by, all with the same code.
//
// A station keeps every packet that comes and answers what its manner says. Whatever it sends may
// have any source.

#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "plumbline/io/descriptor.hpp"
#include "tests/support/packet.hpp"

namespace plumbline::test {

/// Lets the calling thread run before those of others, so that a machine that is busy still has
/// somebody on the wire who is fast enough.
void go_first();

/// The descriptor of a TAP that is there already. It is attached to and never made: throws where
/// there is none, or somebody else holds it.
[[nodiscard]] io::Descriptor open_tap(const std::string& name);
/// A new interface without Ethernet, up, that is gone with the descriptor.
[[nodiscard]] io::Descriptor make_tun(const std::string& name);
/// Everything that arrives at the interface of the calling thread's namespace.
[[nodiscard]] io::Descriptor open_packet_socket(const std::string& name);

/// What a packet must have; what is left open may be anything.
struct Like {
  std::optional<Carries> carries = {};
  std::optional<IpAddress> from = {};
  std::optional<IpAddress> to = {};
  std::optional<std::uint16_t> from_port = {};
  std::optional<std::uint16_t> to_port = {};
  std::optional<std::uint8_t> type = {};
  std::optional<Mac> from_mac = {};

  [[nodiscard]] bool matches(const Packet& packet) const;
};

struct Manner {
  Layer layer = Layer::ethernet;
  Mac mac = {};
  IpAddress ip = {};
  /// Answers as if it had every IPv4 address: a router, and all that is behind it.
  bool is_everybody = false;
  /// Sends UDP back, and takes TCP connections up.
  bool echoes = false;
};

class Station {
 public:
  Station(io::Descriptor descriptor, Manner manner);
  Station(const Station&) = delete;
  Station& operator=(const Station&) = delete;
  ~Station();

  /// Whether the kernel took it: it does not while the interface is down.
  bool send(const Packet& packet) const;
  bool send(const std::string& bytes) const;
  [[nodiscard]] std::string bytes_of(const Packet& packet) const;

  /// Packets from here to wherever, by way of the gateway that was learned. Change what shall be
  /// forged.
  [[nodiscard]] Packet udp(const IpAddress& to, std::uint16_t port) const;
  [[nodiscard]] Packet syn(const IpAddress& to, std::uint16_t port) const;
  [[nodiscard]] Packet echo(const IpAddress& to) const;
  /// Who has `whom`?
  [[nodiscard]] Packet question(const IpAddress& whom) const;

  /// Asks for the gateway by ARP until it answers; packets go there from now on. Throws when it
  /// does not.
  void learn_gateway(const IpAddress& gateway);
  void use_gateway(const Mac& mac) { gateway_ = mac; }

  /// How many of the echo requests were answered.
  [[nodiscard]] int pings(const IpAddress& to, int requests = 3);

  [[nodiscard]] std::uint64_t count(const Like& like = {}) const;
  [[nodiscard]] std::vector<Packet> received(const Like& like = {}) const;
  /// Waits until there were that many; false when they do not come.
  [[nodiscard]] bool await(const Like& like, std::uint64_t count = 1) const;
  /// Waits until nothing like it comes any more.
  void settle(const Like& like = {}) const;
  void forget();

  /// Packets that came and were lost because this end was too slow. Of a packet socket only.
  [[nodiscard]] std::uint64_t overrun() const;

 private:
  void listen();
  void take(const Packet& packet);
  [[nodiscard]] std::optional<Packet> answer(const Packet& packet) const;
  [[nodiscard]] std::optional<Packet> answer_of_transport(Packet packet) const;

  io::Descriptor descriptor_;
  Manner manner_;
  Mac gateway_ = {};
  std::uint16_t echoes_ = 0;
  mutable std::mutex mutex_;
  std::vector<Packet> received_;
  std::atomic<bool> listening_ = true;
  std::thread listener_;
};

}  // namespace plumbline::test
