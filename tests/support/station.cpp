#include "tests/support/station.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "tests/support/netns.hpp"
#include "tests/support/slowness.hpp"

namespace plumbline::test {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds poll_interval{20};
const milliseconds longest_wait = slowness_of_machine() * milliseconds(5000);
/// Nothing that is under way in one machine takes as long.
constexpr milliseconds quiet{40};
constexpr int receive_room = 64 << 20;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

io::Descriptor attach(const std::string& name, int flags) {
  io::Descriptor tun(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!tun) fail("/dev/net/tun");
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  request.ifr_flags = static_cast<short>(flags | IFF_NO_PI);
  if (ioctl(tun.get(), TUNSETIFF, &request) != 0) fail("TUNSETIFF " + name);
  return tun;
}

}  // namespace

void go_first() {
  const sched_param least{.sched_priority = 1};
  // Refused where that is not allowed: then it is as slow as everything else.
  static_cast<void>(pthread_setschedparam(pthread_self(), SCHED_RR, &least));
}

io::Descriptor open_tap(const std::string& name) {
  // TUNSETIFF makes what is not there.
  if (if_nametoindex(name.c_str()) == 0) fail(name);
  return attach(name, IFF_TAP);
}

io::Descriptor make_tun(const std::string& name) {
  io::Descriptor tun = attach(name, IFF_TUN);
  ip("link set " + name + " up");
  return tun;
}

io::Descriptor open_packet_socket(const std::string& name) {
  io::Descriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) fail("a packet socket");
  const int yes = 1;
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_room, sizeof receive_room);
  setsockopt(socket.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(name.c_str()));
  if (address.sll_ifindex == 0) fail(name);
  if (bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail(name);
  return socket;
}

bool Like::matches(const Packet& packet) const {
  const auto is = [](const auto& wanted, const auto& value) { return !wanted || *wanted == value; };
  return is(carries, packet.carries) && is(from, packet.from) && is(to, packet.to) &&
         is(from_port, packet.from_port) && is(to_port, packet.to_port) && is(type, packet.type) &&
         is(from_mac, packet.from_mac);
}

Station::Station(io::Descriptor descriptor, Manner manner)
    : descriptor_(std::move(descriptor)), manner_(std::move(manner)) {
  listener_ = std::thread([this] { listen(); });
}

Station::~Station() {
  listening_ = false;
  listener_.join();
}

bool Station::send(const Packet& packet) const { return send(bytes_of(packet)); }

bool Station::send(const std::string& bytes) const {
  return write(descriptor_.get(), bytes.data(), bytes.size()) >= 0;
}

std::string Station::bytes_of(const Packet& packet) const {
  return test::bytes_of(packet, manner_.layer);
}

Packet Station::udp(const IpAddress& to, std::uint16_t port) const {
  Packet packet;
  packet.from_mac = manner_.mac;
  packet.to_mac = gateway_;
  packet.from = manner_.ip;
  packet.to = to;
  packet.from_port = 40000;
  packet.to_port = port;
  return packet;
}

Packet Station::syn(const IpAddress& to, std::uint16_t port) const {
  Packet packet = udp(to, port);
  packet.carries = Carries::tcp;
  packet.type = tcp_syn;
  packet.mss = 1460;
  return packet;
}

Packet Station::echo(const IpAddress& to) const {
  Packet packet = udp(to, 1);
  packet.carries = Carries::icmp;
  packet.type = icmp_echo;
  return packet;
}

Packet Station::question(const IpAddress& whom) const {
  Packet packet;
  packet.carries = Carries::arp;
  packet.from_mac = packet.arp_mac = manner_.mac;
  packet.to_mac = "ff:ff:ff:ff:ff:ff"_mac;
  packet.from = manner_.ip;
  packet.to = whom;
  packet.from_port = arp_request;
  return packet;
}

void Station::learn_gateway(const IpAddress& gateway) {
  const Like reply{.carries = Carries::arp, .from = gateway, .from_port = arp_reply};
  const auto end = steady_clock::now() + longest_wait;
  while (count(reply) == 0) {
    if (steady_clock::now() > end) throw std::runtime_error(format(gateway) + " does not answer");
    send(question(gateway));
    std::this_thread::sleep_for(milliseconds(5));
  }
  gateway_ = received(reply).back().arp_mac;
}

int Station::pings(const IpAddress& to, int requests) {
  // A flow of its own for each: one that takes another way out loses its first packet there, as
  // masquerading ends it (nf_nat_oif_changed() in net/netfilter/nf_nat_core.c).
  static std::atomic<std::uint16_t> identifiers = 0;
  int answered = 0;
  for (int i = 0; i < requests; ++i) {
    Packet request = echo(to);
    request.from_port = ++identifiers;
    request.to_port = ++echoes_;
    send(request);
    const Like reply{.carries = Carries::icmp,
                     .from = to,
                     .from_port = request.from_port,
                     .to_port = request.to_port,
                     .type = icmp_echo_reply};
    if (await(reply)) ++answered;
  }
  return answered;
}

std::uint64_t Station::count(const Like& like) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::uint64_t>(
      std::ranges::count_if(received_, [&](const Packet& packet) { return like.matches(packet); }));
}

std::vector<Packet> Station::received(const Like& like) const {
  const std::lock_guard lock(mutex_);
  std::vector<Packet> found;
  std::ranges::copy_if(received_, std::back_inserter(found),
                       [&](const Packet& packet) { return like.matches(packet); });
  return found;
}

bool Station::await(const Like& like, std::uint64_t wanted) const {
  const auto end = steady_clock::now() + longest_wait;
  std::uint64_t found = 0;
  for (std::size_t looked_at = 0; steady_clock::now() < end;) {
    {
      const std::lock_guard lock(mutex_);
      for (; looked_at < received_.size(); ++looked_at) {
        if (like.matches(received_[looked_at])) ++found;
      }
    }
    if (found >= wanted) return true;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return false;
}

void Station::settle(const Like& like) const {
  constexpr int most_looks = 500;
  std::uint64_t before = count(like);
  for (int look = 0; look < most_looks; ++look) {
    std::this_thread::sleep_for(quiet);
    const std::uint64_t now = count(like);
    if (now == before) return;
    before = now;
  }
  throw std::runtime_error("packets go on arriving: a stream was not stopped");
}

void Station::forget() {
  const std::lock_guard lock(mutex_);
  received_.clear();
}

std::uint64_t Station::overrun() const {
  tpacket_stats statistics{};
  socklen_t size = sizeof statistics;
  if (getsockopt(descriptor_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) != 0) {
    return 0;
  }
  return statistics.tp_drops;
}

void Station::listen() {
  std::array<char, 65536> buffer;
  go_first();
  while (listening_) {
    pollfd polled{descriptor_.get(), POLLIN, 0};
    poll(&polled, 1, static_cast<int>(poll_interval.count()));
    for (ssize_t size = 0; size >= 0 && listening_;) {
      size = read(descriptor_.get(), buffer.data(), buffer.size());
      // EBADFD: the interface is gone. ENETDOWN: it was set down, and may come up again.
      if (size < 0 && errno != EAGAIN && errno != EINTR && errno != ENETDOWN) return;
      if (size <= 0) break;
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(size));
      if (const auto packet = parse(bytes, manner_.layer)) take(*packet);
    }
  }
}

void Station::take(const Packet& packet) {
  if (const auto reply = answer(packet)) send(*reply);
  const std::lock_guard lock(mutex_);
  received_.push_back(packet);
}

std::optional<Packet> Station::answer(const Packet& packet) const {
  const bool for_us = manner_.is_everybody || packet.to == manner_.ip;
  // What it sent itself may come back, as it is behind every address.
  if (!for_us || packet.from == manner_.ip) return std::nullopt;
  Packet reply = packet;
  std::swap(reply.from, reply.to);
  reply.from_mac = manner_.mac;
  reply.to_mac = packet.from_mac;
  if (packet.carries == Carries::arp && packet.from_port == arp_request) {
    if (packet.from == packet.to || packet.from == IpAddress()) return std::nullopt;
    reply.arp_mac = manner_.mac;
    reply.from_port = arp_reply;
    return reply;
  }
  if (manner_.layer == Layer::ethernet && packet.to_mac != manner_.mac) return std::nullopt;
  return answer_of_transport(reply);
}

std::optional<Packet> Station::answer_of_transport(Packet packet) const {
  packet.ttl = 64;
  if (packet.carries == Carries::icmp && packet.type == icmp_echo) {
    packet.type = icmp_echo_reply;
    return packet;
  }
  if (!manner_.echoes) return std::nullopt;
  std::swap(packet.from_port, packet.to_port);
  if (packet.carries == Carries::udp) return packet;
  if (packet.carries != Carries::tcp || packet.type != tcp_syn) return std::nullopt;
  packet.type = tcp_syn_ack;
  packet.mss = 1460;
  return packet;
}

}  // namespace plumbline::test
