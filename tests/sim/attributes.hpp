// The attributes of one message, found by their type, as nla_parse() leaves them: the last of each.

#pragma once

#include <cerrno>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "plumbline/wire/netlink.hpp"
#include "tests/sim/refusal.hpp"

namespace plumbline::sim {

class Attributes {
 public:
  Attributes() = default;
  explicit Attributes(std::span<const std::byte> bytes) {
    wire::for_each_attribute(bytes, [this](const wire::Attribute& attribute) {
      found_.insert_or_assign(attribute.type(), attribute);
    });
  }
  /// Behind the fixed structure T of a message.
  template <class T>
  static Attributes behind(const wire::Message& message) {
    const std::size_t offset = wire::aligned(sizeof(T));
    if (message.payload().size() < sizeof(T)) throw Refusal{EINVAL, "Invalid header"};
    if (message.payload().size() <= offset) return {};
    return Attributes(message.payload().subspan(offset));
  }

  [[nodiscard]] bool has(std::uint16_t type) const { return found_.contains(type); }
  [[nodiscard]] const wire::Attribute* find(std::uint16_t type) const {
    const auto found = found_.find(type);
    return found == found_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] std::span<const std::byte> bytes(std::uint16_t type) const {
    const wire::Attribute* found = find(type);
    return found == nullptr ? std::span<const std::byte>() : found->payload();
  }
  [[nodiscard]] Attributes inside(std::uint16_t type) const { return Attributes(bytes(type)); }
  [[nodiscard]] std::string string(std::uint16_t type) const {
    const wire::Attribute* found = find(type);
    return found == nullptr ? std::string() : std::string(found->string());
  }

  /// Nothing when it is not there. Refuses one that is too short, as validate_nla() does.
  template <class T>
  [[nodiscard]] std::optional<T> get(std::uint16_t type) const {
    const wire::Attribute* found = find(type);
    if (found == nullptr) return std::nullopt;
    if (found->payload().size() < sizeof(T)) {
      throw Refusal{ERANGE, "Attribute failed policy validation"};
    }
    return found->read<T>();
  }
  [[nodiscard]] std::optional<std::uint8_t> u8(std::uint16_t type) const {
    return get<std::uint8_t>(type);
  }
  [[nodiscard]] std::optional<std::uint16_t> u16(std::uint16_t type) const {
    return get<std::uint16_t>(type);
  }
  [[nodiscard]] std::optional<std::uint32_t> u32(std::uint16_t type) const {
    return get<std::uint32_t>(type);
  }
  /// An address of four or sixteen bytes; others are nothing.
  [[nodiscard]] std::optional<IpAddress> address(std::uint16_t type) const {
    return IpAddress::from_bytes(bytes(type));
  }
  [[nodiscard]] const std::map<std::uint16_t, wire::Attribute>& all() const { return found_; }

 private:
  std::map<std::uint16_t, wire::Attribute> found_;
};

}  // namespace plumbline::sim
