#include "plumbline/wire/netlink.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace plumbline::wire {

namespace {

/// nla_len and rtnh_len are 16 bits wide. What is longer must not be sent: the kernel would take
/// its beginning for the whole.
std::uint16_t length_of_attribute(std::size_t size) {
  if (size <= UINT16_MAX) return static_cast<std::uint16_t>(size);
  throw Malformed("a netlink attribute of " + std::to_string(size) +
                  " bytes cannot be sent: " + std::to_string(UINT16_MAX) + " is the most");
}

}  // namespace

MessageBuilder::MessageBuilder(std::uint16_t type, std::uint16_t flags) {
  nlmsghdr head{};
  head.nlmsg_type = type;
  head.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
  append(&head, sizeof head);
}

void MessageBuilder::append(const void* data, std::size_t size) {
  const auto* first = static_cast<const std::byte*>(data);
  bytes_.insert(bytes_.end(), first, first + size);
  bytes_.resize(aligned(bytes_.size()));
}

MessageBuilder& MessageBuilder::bytes(std::uint16_t type, std::span<const std::byte> value) {
  nlattr attribute{};
  attribute.nla_type = type;
  attribute.nla_len = length_of_attribute(sizeof attribute + value.size());
  append(&attribute, sizeof attribute);
  append(value.data(), value.size());
  return *this;
}

MessageBuilder& MessageBuilder::u8(std::uint16_t type, std::uint8_t value) {
  return bytes(type, std::as_bytes(std::span(&value, 1)));
}

MessageBuilder& MessageBuilder::u16(std::uint16_t type, std::uint16_t value) {
  return bytes(type, std::as_bytes(std::span(&value, 1)));
}

MessageBuilder& MessageBuilder::u32(std::uint16_t type, std::uint32_t value) {
  return bytes(type, std::as_bytes(std::span(&value, 1)));
}

MessageBuilder& MessageBuilder::string(std::uint16_t type, std::string_view value) {
  std::string terminated(value);
  return bytes(type, std::as_bytes(std::span(terminated.c_str(), terminated.size() + 1)));
}

MessageBuilder& MessageBuilder::address(std::uint16_t type, const IpAddress& value) {
  return bytes(type, value.bytes());
}

MessageBuilder& MessageBuilder::nest(std::uint16_t type,
                                     const std::function<void(MessageBuilder&)>& fill,
                                     bool nested_flag) {
  const std::size_t start = bytes_.size();
  nlattr attribute{};
  attribute.nla_type = nested_flag ? static_cast<std::uint16_t>(type | NLA_F_NESTED) : type;
  append(&attribute, sizeof attribute);
  fill(*this);
  attribute.nla_len = length_of_attribute(bytes_.size() - start);
  std::memcpy(bytes_.data() + start, &attribute, sizeof attribute);
  return *this;
}

Bytes MessageBuilder::finish() && {
  if (bytes_.size() > UINT32_MAX) throw Malformed("a netlink message of 4 GiB cannot be sent");
  nlmsghdr header{};
  std::memcpy(&header, bytes_.data(), sizeof header);
  header.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
  std::memcpy(bytes_.data(), &header, sizeof header);
  return std::move(bytes_);
}

std::string_view Attribute::string() const {
  const auto* first = reinterpret_cast<const char*>(payload_.data());
  return {first, strnlen(first, payload_.size())};
}

IpAddress Attribute::address() const {
  auto parsed = IpAddress::from_bytes(payload_);
  if (!parsed) throw Malformed("netlink attribute is no IP address");
  return *parsed;
}

void for_each_attribute(std::span<const std::byte> bytes,
                        const std::function<void(const Attribute&)>& visit) {
  while (bytes.size() >= sizeof(nlattr)) {
    nlattr attribute{};
    std::memcpy(&attribute, bytes.data(), sizeof attribute);
    if (attribute.nla_len < sizeof attribute || attribute.nla_len > bytes.size()) {
      throw Malformed("netlink attribute length out of bounds");
    }
    visit(Attribute(attribute.nla_type & NLA_TYPE_MASK,
                    bytes.subspan(sizeof attribute, attribute.nla_len - sizeof attribute)));
    bytes = bytes.subspan(std::min(aligned(attribute.nla_len), bytes.size()));
  }
  if (!bytes.empty()) throw Malformed("bytes left behind the last netlink attribute");
}

nlmsghdr Message::header() const {
  nlmsghdr header{};
  std::memcpy(&header, bytes_.data(), sizeof header);
  return header;
}

void for_each_message(std::span<const std::byte> bytes,
                      const std::function<void(const Message&)>& visit) {
  while (!bytes.empty()) {
    nlmsghdr header{};
    if (bytes.size() < sizeof header) throw Malformed("netlink message cut off");
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > bytes.size()) {
      throw Malformed("netlink message length out of bounds");
    }
    visit(Message(bytes.first(header.nlmsg_len)));
    bytes = bytes.subspan(std::min(aligned(header.nlmsg_len), bytes.size()));
  }
}

Ack read_ack(const Message& message) {
  const auto error = message.fixed<nlmsgerr>();
  constexpr int most = 4095;  // MAX_ERRNO, include/linux/err.h
  if (error.error > 0 || error.error < -most) throw Malformed("netlink ack with no errno in it");
  // NLM_F_CAPPED: only the header of the request is repeated, else the whole of it; the
  // attributes follow (Documentation/userspace-api/netlink/intro.rst).
  Ack ack{-error.error, {}};
  if ((message.flags() & NLM_F_ACK_TLVS) == 0) return ack;
  std::size_t offset = sizeof(nlmsgerr);
  if ((message.flags() & NLM_F_CAPPED) == 0) {
    if (error.msg.nlmsg_len < sizeof(nlmsghdr)) throw Malformed("netlink ack repeats no request");
    offset += aligned(error.msg.nlmsg_len - sizeof(nlmsghdr));
  }
  if (offset > message.payload().size()) throw Malformed("netlink ack cut off");
  for_each_attribute(message.payload().subspan(offset), [&](const Attribute& attribute) {
    if (attribute.type() == NLMSGERR_ATTR_MSG) ack.message = attribute.string();
  });
  return ack;
}

}  // namespace plumbline::wire
