// Packets as somebody on the wire writes and reads them: Ethernet frames, or the bare IP packets of
// a tunnel.
//
// Only what tests look at is kept; a packet that is built, taken apart and built again may differ
// in all else. Checksums are right.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "plumbline/base/ip.hpp"
#include "plumbline/base/mac.hpp"

namespace plumbline::test {

/// Both throw std::bad_optional_access where the text is no address.
[[nodiscard]] IpAddress operator""_ip(const char* text, std::size_t size);
[[nodiscard]] Mac operator""_mac(const char* text, std::size_t size);

inline constexpr std::uint8_t tcp_syn = 0x02;
inline constexpr std::uint8_t tcp_syn_ack = 0x12;
inline constexpr std::uint8_t icmp_echo_reply = 0;
inline constexpr std::uint8_t icmp_unreachable = 3;
inline constexpr std::uint8_t icmp_echo = 8;
inline constexpr std::uint16_t arp_request = 1;
inline constexpr std::uint16_t arp_reply = 2;
inline constexpr std::uint16_t rarp_type = 0x8035;

enum class Carries : std::uint8_t { udp, tcp, icmp, arp, ipv6, other };

struct Packet {
  Mac from_mac = {};
  Mac to_mac = {};
  std::uint16_t vlan = 0;  ///< 0 is no tag
  Carries carries = Carries::udp;
  std::uint16_t ether_type = 0;  ///< of `other`
  IpAddress from = {};           ///< of ARP: who asks or answers
  IpAddress to = {};             ///< of ARP: who is asked for, or answered
  Mac arp_mac = {};              ///< of ARP: what the sender says its address is
  /// Of UDP and TCP. Of an echo its identifier, of ARP the operation.
  std::uint16_t from_port = 0;
  /// Of UDP and TCP. Of an echo its number, of `icmp_unreachable` the MTU.
  std::uint16_t to_port = 0;
  std::uint8_t type = 0;   ///< the flags of TCP, the type of ICMP
  std::uint8_t code = 0;   ///< of ICMP
  std::uint16_t mss = 0;   ///< of TCP; 0 is no option
  std::uint16_t size = 0;  ///< bytes that are carried behind all headers
  bool whole = false;      ///< must not be fragmented
  std::uint8_t ttl = 64;
  /// Of IPv4 that is built: its options, a multiple of 4 bytes. Not read.
  std::string options = {};
  /// Of an error of ICMP that is built: what it is about, from the IP header on. Not read.
  std::string about = {};

  bool operator==(const Packet&) const = default;
};

/// An Ethernet frame, or from the IP header on.
enum class Layer : std::uint8_t { ethernet, ip };

[[nodiscard]] std::string bytes_of(const Packet& packet, Layer layer);
/// That a packet did not arrive, told by `by` to who sent it: fragmentation would have been needed,
/// with the MTU given, or without one nobody listens at its port.
[[nodiscard]] Packet error_about(const Packet& packet, const IpAddress& by, std::uint16_t mtu = 0);
/// Nothing when it is cut off. What is no IPv4, IPv6 or ARP is `other`.
[[nodiscard]] std::optional<Packet> parse(std::string_view bytes, Layer layer);

/// `udp 10.0.0.2:7001 > 192.0.2.1:7` and the like.
[[nodiscard]] std::string format(const Packet& packet);

}  // namespace plumbline::test
