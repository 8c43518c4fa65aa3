// Netlink messages, written and read with bounds checked.
//
// Knows headers and attributes, no family and no meaning. Every read of a message
// that the kernel, or somebody posing as it, sent goes through here.

#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "plumbline/base/ip.hpp"
#include "plumbline/wire/request.hpp"

namespace plumbline::wire {

/// A message that is not what its header says. Observing stops: it is never taken for "empty".
struct Malformed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The size with the padding that follows it: messages and attributes start at multiples of four.
[[nodiscard]] constexpr std::size_t aligned(std::size_t size) {
  return (size + 3U) & ~std::size_t{3U};
}

/// Builds one message, attribute by attribute.
class MessageBuilder {
 public:
  /// NLM_F_REQUEST is always added to `flags`.
  MessageBuilder(std::uint16_t type, std::uint16_t flags);

  /// The fixed structure behind the header (rtmsg, ifinfomsg, …); first, and once.
  template <class T>
  MessageBuilder& header(const T& fixed) {
    append(&fixed, sizeof fixed);
    return *this;
  }
  MessageBuilder& u8(std::uint16_t type, std::uint8_t value);
  MessageBuilder& u16(std::uint16_t type, std::uint16_t value);
  MessageBuilder& u32(std::uint16_t type, std::uint32_t value);
  /// With the terminating NUL, as nla_strcmp() and NLA_NUL_STRING want it.
  MessageBuilder& string(std::uint16_t type, std::string_view value);
  MessageBuilder& bytes(std::uint16_t type, std::span<const std::byte> value);
  MessageBuilder& address(std::uint16_t type, const IpAddress& value);
  /// An attribute that holds what `fill` adds. `nested_flag`: with NLA_F_NESTED, which strict
  /// parsers ask for and a few old ones do not mask off.
  MessageBuilder& nest(std::uint16_t type, const std::function<void(MessageBuilder&)>& fill,
                       bool nested_flag = true);
  /// Raw bytes, padded to four: structures inside a nest, such as rtnexthop.
  void append(const void* data, std::size_t size);
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  /// The bytes so far, to patch a length into a structure that append() put there.
  [[nodiscard]] std::span<std::byte> written() { return bytes_; }

  /// The finished message, its length set.
  [[nodiscard]] Bytes finish() &&;

 private:
  Bytes bytes_;
};

/// One attribute of a message; refers to the message's bytes.
class Attribute {
 public:
  Attribute(std::uint16_t type, std::span<const std::byte> payload)
      : type_(type), payload_(payload) {}

  /// Without the NLA_F_NESTED and NLA_F_NET_BYTEORDER bits.
  [[nodiscard]] std::uint16_t type() const { return type_; }
  [[nodiscard]] std::span<const std::byte> payload() const { return payload_; }

  // Each throws Malformed when the payload is too short for what is asked.
  [[nodiscard]] std::uint8_t u8() const { return read<std::uint8_t>(); }
  [[nodiscard]] std::uint16_t u16() const { return read<std::uint16_t>(); }
  [[nodiscard]] std::uint32_t u32() const { return read<std::uint32_t>(); }
  [[nodiscard]] std::int32_t s32() const { return read<std::int32_t>(); }
  /// Up to the first NUL or the end.
  [[nodiscard]] std::string_view string() const;
  /// Exactly 4 or 16 bytes, else Malformed.
  [[nodiscard]] IpAddress address() const;

  template <class T>
  [[nodiscard]] T read() const {
    if (payload_.size() < sizeof(T)) throw Malformed("netlink attribute too short");
    T value;
    std::memcpy(&value, payload_.data(), sizeof value);
    return value;
  }

 private:
  std::uint16_t type_;
  std::span<const std::byte> payload_;
};

/// Calls `visit` for each attribute in `bytes`. Throws Malformed on a length that does not fit.
void for_each_attribute(std::span<const std::byte> bytes,
                        const std::function<void(const Attribute&)>& visit);

/// One message of a dump or a notification; refers to the bytes it was found in.
class Message {
 public:
  explicit Message(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] std::uint16_t type() const { return header().nlmsg_type; }
  [[nodiscard]] std::uint16_t flags() const { return header().nlmsg_flags; }
  [[nodiscard]] nlmsghdr header() const;
  /// The fixed structure behind the header. Throws Malformed when the message is too short.
  template <class T>
  [[nodiscard]] T fixed() const {
    if (payload().size() < sizeof(T)) throw Malformed("netlink message too short");
    T value;
    std::memcpy(&value, payload().data(), sizeof value);
    return value;
  }
  /// With its header.
  [[nodiscard]] std::span<const std::byte> whole() const { return bytes_; }
  /// What follows the netlink header.
  [[nodiscard]] std::span<const std::byte> payload() const {
    return bytes_.subspan(sizeof(nlmsghdr));
  }
  /// Visits the attributes behind a fixed structure of type T.
  template <class T>
  void attributes(const std::function<void(const Attribute&)>& visit) const {
    static_cast<void>(fixed<T>());
    const std::size_t offset = aligned(sizeof(T));
    if (payload().size() > offset) for_each_attribute(payload().subspan(offset), visit);
  }

 private:
  std::span<const std::byte> bytes_;
};

/// Calls `visit` for each message in `bytes`. Throws Malformed on a length that does not fit.
void for_each_message(std::span<const std::byte> bytes,
                      const std::function<void(const Message&)>& visit);

/// What an NLMSG_ERROR message says: the errno (0 for an ack) and the extended ack's text.
struct Ack {
  int error = 0;
  std::string message;
};
[[nodiscard]] Ack read_ack(const Message& message);

}  // namespace plumbline::wire
