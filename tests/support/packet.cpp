#include "tests/support/packet.hpp"

#include <net/ethernet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <span>

namespace plumbline::test {

namespace {

constexpr std::size_t smallest_frame = 60;
constexpr std::uint8_t mss_option = 2;

// ---- building -----------------------------------------------------------------------------------

class Bytes {
 public:
  Bytes& u8(unsigned value) {
    text_ += static_cast<char>(value);
    return *this;
  }
  Bytes& u16(unsigned value) { return u8(value >> 8).u8(value & 0xff); }
  Bytes& raw(std::span<const std::byte> bytes) {
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return *this;
  }
  Bytes& text(std::string_view more) {
    text_ += more;
    return *this;
  }
  /// Writes the Internet checksum of everything (RFC 1071), begun with `sum`, at `place`.
  Bytes& checksum(std::size_t place, std::uint32_t sum = 0) {
    for (std::size_t i = 0; i < text_.size(); ++i) {
      const auto byte = static_cast<std::uint8_t>(text_[i]);
      sum += i % 2 == 0 ? static_cast<std::uint32_t>(byte) << 8 : byte;
    }
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    text_[place] = static_cast<char>(~sum >> 8);
    text_[place + 1] = static_cast<char>(~sum);
    return *this;
  }
  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::uint8_t protocol_of(Carries carries) {
  if (carries == Carries::tcp) return IPPROTO_TCP;
  return carries == Carries::icmp ? IPPROTO_ICMP : IPPROTO_UDP;
}

std::uint32_t word(std::span<const std::byte> bytes, std::size_t at) {
  return (std::to_integer<std::uint32_t>(bytes[at]) << 8) |
         std::to_integer<std::uint32_t>(bytes[at + 1]);
}

/// Of what TCP and UDP sum up besides themselves.
std::uint32_t pseudo_header(const Packet& packet, std::uint8_t protocol, std::size_t size) {
  std::uint32_t sum = protocol + static_cast<std::uint32_t>(size);
  for (const IpAddress* const address : {&packet.from, &packet.to}) {
    const auto bytes = address->bytes();
    for (std::size_t i = 0; i < bytes.size(); i += 2) sum += word(bytes, i);
  }
  return sum;
}

std::string udp(const Packet& packet) {
  const std::size_t size = 8 + std::size_t{packet.size};
  Bytes bytes;
  bytes.u16(packet.from_port).u16(packet.to_port).u16(static_cast<unsigned>(size)).u16(0);
  bytes.text(std::string(packet.size, 'x'));
  return bytes.checksum(6, pseudo_header(packet, IPPROTO_UDP, size)).take();
}

std::string tcp(const Packet& packet) {
  const unsigned words = packet.mss != 0 ? 6 : 5;
  Bytes bytes;
  // The first number is 1, so that an answer to a SYN acknowledges 2.
  const unsigned acknowledged = packet.type == tcp_syn_ack ? 2 : 0;
  bytes.u16(packet.from_port).u16(packet.to_port).u16(0).u16(1).u16(0).u16(acknowledged);
  bytes.u8(words << 4).u8(packet.type).u16(65535).u16(0).u16(0);
  if (packet.mss != 0) bytes.u8(mss_option).u8(4).u16(packet.mss);
  bytes.text(std::string(packet.size, 'x'));
  return bytes.checksum(16, pseudo_header(packet, IPPROTO_TCP, words * 4 + packet.size)).take();
}

std::string icmp(const Packet& packet) {
  Bytes bytes;
  bytes.u8(packet.type).u8(packet.code).u16(0).u16(packet.from_port).u16(packet.to_port);
  bytes.text(packet.about).text(std::string(packet.size, 'x'));
  return bytes.checksum(2).take();
}

std::string ipv4(const Packet& packet) {
  const std::string inside = packet.carries == Carries::tcp    ? tcp(packet)
                             : packet.carries == Carries::icmp ? icmp(packet)
                                                               : udp(packet);
  const std::size_t header = 20 + packet.options.size();
  Bytes bytes;
  bytes.u8(static_cast<unsigned>(0x40 + header / 4)).u8(0);
  bytes.u16(static_cast<unsigned>(header + inside.size())).u16(1);
  bytes.u16(packet.whole ? 0x4000 : 0).u8(packet.ttl).u8(protocol_of(packet.carries)).u16(0);
  bytes.raw(packet.from.bytes()).raw(packet.to.bytes()).text(packet.options);
  return bytes.checksum(10).text(inside).take();
}

std::string ipv6(const Packet& packet) {
  const std::string inside = udp(packet);
  Bytes bytes;
  bytes.u16(0x6000).u16(0).u16(static_cast<unsigned>(inside.size())).u8(IPPROTO_UDP);
  return bytes.u8(packet.ttl).raw(packet.from.bytes()).raw(packet.to.bytes()).text(inside).take();
}

std::string arp(const Packet& packet) {
  Bytes bytes;
  bytes.u16(1).u16(ETHERTYPE_IP).u8(6).u8(4).u16(packet.from_port);
  bytes.raw(packet.arp_mac.bytes()).raw(packet.from.bytes());
  const Mac target = packet.from_port == arp_request ? Mac() : packet.to_mac;
  return bytes.raw(target.bytes()).raw(packet.to.bytes()).take();
}

struct Payload {
  std::uint16_t ether_type;
  std::string bytes;
};

Payload payload_of(const Packet& packet) {
  switch (packet.carries) {
    case Carries::arp:
      return {ETHERTYPE_ARP, arp(packet)};
    case Carries::ipv6:
      return {ETHERTYPE_IPV6, ipv6(packet)};
    case Carries::other:
      return {packet.ether_type, std::string(packet.size, 'x')};
    default:
      return {ETHERTYPE_IP, ipv4(packet)};
  }
}

// ---- taking apart -------------------------------------------------------------------------------

std::uint16_t u16_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>((static_cast<std::uint8_t>(bytes[at]) << 8) |
                                    static_cast<std::uint8_t>(bytes[at + 1]));
}

IpAddress ip_at(std::string_view bytes, std::size_t at, std::size_t size) {
  return *IpAddress::from_bytes(std::as_bytes(std::span(bytes.substr(at, size))));
}

Mac mac_at(std::string_view bytes, std::size_t at) {
  return *Mac::from_bytes(std::as_bytes(std::span(bytes.substr(at, 6))));
}

bool parse_tcp(std::string_view bytes, Packet& packet) {
  if (bytes.size() < 20) return false;
  packet.carries = Carries::tcp;
  packet.from_port = u16_at(bytes, 0);
  packet.to_port = u16_at(bytes, 2);
  packet.type = static_cast<std::uint8_t>(bytes[13]);
  const std::size_t header =
      static_cast<std::size_t>(static_cast<std::uint8_t>(bytes[12]) >> 4) * 4;
  if (header < 20 || bytes.size() < header) return false;
  packet.size = static_cast<std::uint16_t>(bytes.size() - header);
  for (std::size_t at = 20; at + 4 <= header && bytes[at] != 0;) {
    if (bytes[at] == mss_option) packet.mss = u16_at(bytes, at + 2);
    const auto length = static_cast<std::uint8_t>(bytes[at + 1]);
    at += bytes[at] == 1 ? 1 : std::max<std::size_t>(length, 2);
  }
  return true;
}

bool parse_transport(std::uint8_t protocol, std::string_view bytes, Packet& packet) {
  if (protocol == IPPROTO_TCP) return parse_tcp(bytes, packet);
  if (bytes.size() < 8) return false;
  packet.size = static_cast<std::uint16_t>(bytes.size() - 8);
  if (protocol == IPPROTO_UDP) {
    packet.from_port = u16_at(bytes, 0);
    packet.to_port = u16_at(bytes, 2);
  } else if (protocol == IPPROTO_ICMP) {
    packet.carries = Carries::icmp;
    packet.type = static_cast<std::uint8_t>(bytes[0]);
    packet.code = static_cast<std::uint8_t>(bytes[1]);
    packet.from_port = u16_at(bytes, 4);
    packet.to_port = u16_at(bytes, 6);
  } else {
    packet.carries = Carries::other;
  }
  return true;
}

bool parse_ipv4(std::string_view bytes, Packet& packet) {
  if (bytes.size() < 20) return false;
  const std::size_t header =
      static_cast<std::size_t>(static_cast<std::uint8_t>(bytes[0]) & 0xf) * 4;
  const std::size_t total = u16_at(bytes, 2);
  if (header < 20 || total < header || bytes.size() < total) return false;
  packet.ttl = static_cast<std::uint8_t>(bytes[8]);
  packet.whole = (u16_at(bytes, 6) & 0x4000) != 0;
  packet.from = ip_at(bytes, 12, 4);
  packet.to = ip_at(bytes, 16, 4);
  return parse_transport(static_cast<std::uint8_t>(bytes[9]), bytes.substr(header, total - header),
                         packet);
}

bool parse_ipv6(std::string_view bytes, Packet& packet) {
  if (bytes.size() < 40) return false;
  packet.ttl = static_cast<std::uint8_t>(bytes[7]);
  packet.from = ip_at(bytes, 8, 16);
  packet.to = ip_at(bytes, 24, 16);
  if (static_cast<std::uint8_t>(bytes[6]) == IPPROTO_UDP) {
    parse_transport(IPPROTO_UDP, bytes.substr(40), packet);
  }
  packet.carries = Carries::ipv6;
  return true;
}

bool parse_arp(std::string_view bytes, Packet& packet) {
  if (bytes.size() < 28) return false;
  packet.carries = Carries::arp;
  packet.from_port = u16_at(bytes, 6);
  packet.arp_mac = mac_at(bytes, 8);
  packet.from = ip_at(bytes, 14, 4);
  packet.to = ip_at(bytes, 24, 4);
  return true;
}

bool parse_payload(std::uint16_t ether_type, std::string_view bytes, Packet& packet) {
  if (ether_type == ETHERTYPE_IP) return parse_ipv4(bytes, packet);
  if (ether_type == ETHERTYPE_IPV6) return parse_ipv6(bytes, packet);
  if (ether_type == ETHERTYPE_ARP) return parse_arp(bytes, packet);
  packet.carries = Carries::other;
  packet.ether_type = ether_type;
  packet.size = static_cast<std::uint16_t>(bytes.size());
  return true;
}

}  // namespace

IpAddress operator""_ip(const char* text, std::size_t size) {
  return IpAddress::parse({text, size}).value();
}
Mac operator""_mac(const char* text, std::size_t size) { return Mac::parse({text, size}).value(); }

std::string bytes_of(const Packet& packet, Layer layer) {
  Payload payload = payload_of(packet);
  if (layer == Layer::ip) return std::move(payload.bytes);
  Bytes bytes;
  bytes.raw(packet.to_mac.bytes()).raw(packet.from_mac.bytes());
  if (packet.vlan != 0) bytes.u16(ETHERTYPE_VLAN).u16(packet.vlan);
  std::string frame = bytes.u16(payload.ether_type).text(payload.bytes).take();
  if (frame.size() < smallest_frame) frame.resize(smallest_frame);
  return frame;
}

Packet error_about(const Packet& packet, const IpAddress& by, std::uint16_t mtu) {
  Packet error;
  error.carries = Carries::icmp;
  error.type = icmp_unreachable;
  error.code = mtu != 0 ? 4 : 3;
  error.from = by;
  error.to = packet.from;
  error.to_port = mtu;
  error.about = bytes_of(packet, Layer::ip).substr(0, 28);
  return error;
}

std::optional<Packet> parse(std::string_view bytes, Layer layer) {
  Packet packet;
  if (layer == Layer::ip) {
    if (bytes.empty()) return std::nullopt;
    const bool is_ipv6 = (static_cast<std::uint8_t>(bytes[0]) >> 4) == 6;
    const bool whole = is_ipv6 ? parse_ipv6(bytes, packet) : parse_ipv4(bytes, packet);
    return whole ? std::optional(packet) : std::nullopt;
  }
  if (bytes.size() < 18) return std::nullopt;
  packet.to_mac = mac_at(bytes, 0);
  packet.from_mac = mac_at(bytes, 6);
  std::size_t at = 12;
  if (u16_at(bytes, at) == ETHERTYPE_VLAN) {
    packet.vlan = u16_at(bytes, 14) & 0xfff;
    at = 16;
  }
  const bool whole = parse_payload(u16_at(bytes, at), bytes.substr(at + 2), packet);
  return whole ? std::optional(packet) : std::nullopt;
}

std::string format(const Packet& packet) {
  constexpr std::array<std::string_view, 6> names{"udp", "tcp", "icmp", "arp", "ipv6", "other"};
  std::string text(names[static_cast<std::size_t>(packet.carries)]);
  text += " " + format(packet.from) + ":" + std::to_string(packet.from_port) + " > " +
          format(packet.to) + ":" + std::to_string(packet.to_port) + " type " +
          std::to_string(packet.type) + ", " + format(packet.from_mac) + " > " +
          format(packet.to_mac);
  return text;
}

}  // namespace plumbline::test
