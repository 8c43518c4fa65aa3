#include "dump_reader.hpp"

#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace plumbline::io {

namespace {

/// The extended ack's text, which NLMSG_DONE carries behind its errno.
std::string text_of(const wire::Message& done) {
  std::string text;
  if ((done.flags() & NLM_F_ACK_TLVS) == 0) return text;
  wire::for_each_attribute(done.payload().subspan(sizeof(int)), [&](const wire::Attribute& found) {
    if (found.type() == NLMSGERR_ATTR_MSG) text = found.string();
  });
  return text;
}

}  // namespace

void DumpReader::read(std::span<const std::byte> datagram) {
  std::span<const std::byte> rest = datagram;
  wire::for_each_message(datagram, [&](const wire::Message& message) {
    const std::size_t length = message.header().nlmsg_len;
    if (!finished_ && message.header().nlmsg_seq == sequence_) {
      read_message(message, rest.first(length));
    }
    rest = rest.subspan(std::min(wire::aligned(length), rest.size()));
  });
}

void DumpReader::read_message(const wire::Message& message, std::span<const std::byte> bytes) {
  // On any part, the last among them (nl_dump_check_consistent() in include/net/netlink.h).
  if ((message.flags() & NLM_F_DUMP_INTR) != 0) whole_ = false;
  switch (message.type()) {
    case NLMSG_DONE:
      read_end(message);
      return;
    case NLMSG_ERROR: {
      finished_ = true;
      wire::Ack ack = wire::read_ack(message);
      reply_ = {ack.error, std::move(ack.message), {}, {}};
      return;
    }
    case NLMSG_OVERRUN:
      whole_ = false;
      return;
    case NLMSG_NOOP:
      return;
    default:
      finished_ = (message.flags() & NLM_F_MULTI) == 0;
      reply_.bytes.insert(reply_.bytes.end(), bytes.begin(), bytes.end());
      reply_.bytes.resize(wire::aligned(reply_.bytes.size()));
  }
}

void DumpReader::read_end(const wire::Message& message) {
  finished_ = true;
  const int error = -message.fixed<int>();
  // ENOENT is a filter for a routing table that is not there (inet_dump_fib()).
  if (error != 0 && error != ENOENT) reply_ = {error, text_of(message), {}, {}};
}

}  // namespace plumbline::io
