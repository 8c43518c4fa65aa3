#include "plumbline/base/ip.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "plumbline/base/number.hpp"

namespace plumbline {

std::uint8_t address_family(Family family) {
  switch (family) {
    case Family::inet:
      return AF_INET;
    case Family::inet6:
      return AF_INET6;
    case Family::bridge:
      return AF_BRIDGE;
  }
  return AF_UNSPEC;
}

namespace {

/// Plain decimal digits only; parse_number() would take `0x18` as well.
std::optional<std::uint8_t> parse_length(std::string_view text, Family family) {
  if (!std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  auto length = parse_number<std::uint8_t>(text);
  if (!length || *length > address_bits(family)) return std::nullopt;
  return length;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  // inet_pton(3) wants a terminated string; the longest valid text is shorter than this.
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (text.empty() || text.size() >= buffer.size() || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::ranges::copy(text, buffer.begin());
  IpAddress address;
  address.family_ = text.find(':') == std::string_view::npos ? Family::inet : Family::inet6;
  if (inet_pton(address_family(address.family_), buffer.data(), address.bytes_.data()) != 1) {
    return std::nullopt;
  }
  return address;
}

std::optional<IpAddress> IpAddress::from_bytes(std::span<const std::byte> bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  IpAddress address;
  address.family_ = bytes.size() == 4 ? Family::inet : Family::inet6;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

IpAddress IpAddress::any(Family family) {
  IpAddress address;
  address.family_ = family;
  return address;
}

std::span<const std::byte> IpAddress::bytes() const {
  return std::span(bytes_).first(address_bits(family_) / 8U);
}

IpAddress IpAddress::masked(std::uint8_t length) const {
  IpAddress result = *this;
  for (std::size_t i = 0; i < bytes().size(); ++i) {
    const int kept = std::clamp(int{length} - static_cast<int>(i) * 8, 0, 8);
    result.bytes_[i] &=
        std::byte(static_cast<unsigned char>(0xff00U >> static_cast<unsigned>(kept)));
  }
  return result;
}

std::string format(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(address_family(address.family()), address.bytes().data(), buffer.data(), buffer.size());
  return buffer.data();
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  std::uint8_t length = address_bits(address->family());
  if (slash != std::string_view::npos) {
    auto parsed = parse_length(text.substr(slash + 1), address->family());
    if (!parsed) return std::nullopt;
    length = *parsed;
  }
  if (address->masked(length) != *address) return std::nullopt;
  return masking(*address, length);
}

Prefix Prefix::masking(const IpAddress& address, std::uint8_t length) {
  Prefix prefix;
  prefix.length_ = std::min(length, address_bits(address.family()));
  prefix.address_ = address.masked(prefix.length_);
  return prefix;
}

bool Prefix::contains(const IpAddress& address) const {
  return address.family() == family() && address.masked(length_) == address_;
}

std::string format(const Prefix& prefix) {
  return format(prefix.address()) + "/" + std::to_string(prefix.length());
}

bool is_link_local(const IpAddress& address) {
  static const Prefix link_local = *Prefix::parse("fe80::/10");
  return link_local.contains(address);
}

std::optional<InterfaceAddress> InterfaceAddress::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  auto length = parse_length(text.substr(slash + 1), address->family());
  if (!length) return std::nullopt;
  return InterfaceAddress{*address, *length};
}

std::string format(const InterfaceAddress& address) {
  return format(address.address) + "/" + std::to_string(address.length);
}

}  // namespace plumbline
