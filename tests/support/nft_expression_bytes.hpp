// Expressions of nf_tables as bytes, for tests of what reads them.

#pragma once

#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

#include <functional>
#include <string_view>

#include "plumbline/wire/netlink.hpp"

namespace plumbline::test {

using Fill = std::function<void(wire::MessageBuilder&)>;

/// The attributes that `fill` adds, without a message around them.
inline wire::Bytes attributes(const Fill& fill) {
  wire::MessageBuilder message(0, 0);
  fill(message);
  const auto whole = std::move(message).finish();
  return {whole.begin() + sizeof(nlmsghdr), whole.end()};
}

inline wire::Bytes expression(std::string_view name, const Fill& fill) {
  return attributes([&](wire::MessageBuilder& list) {
    list.nest(NFTA_LIST_ELEM, [&](wire::MessageBuilder& element) {
      element.string(NFTA_EXPR_NAME, name).nest(NFTA_EXPR_DATA, fill);
    });
  });
}

inline wire::Bytes operator+(wire::Bytes left, const wire::Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

inline void add_u64(wire::MessageBuilder& message, std::uint16_t type, std::uint64_t value) {
  const std::uint64_t sent = htobe64(value);
  message.bytes(type, std::as_bytes(std::span(&sent, 1)));
}

inline wire::Bytes counter(std::uint64_t bytes, std::uint64_t packets) {
  return expression("counter", [&](wire::MessageBuilder& data) {
    add_u64(data, NFTA_COUNTER_BYTES, bytes);
    add_u64(data, NFTA_COUNTER_PACKETS, packets);
  });
}

/// `match` or `target`.
inline wire::Bytes extension(std::string_view kind, std::string_view name, std::uint32_t revision,
                             const wire::Bytes& payload) {
  return expression(kind, [&](wire::MessageBuilder& data) {
    data.string(NFTA_MATCH_NAME, name).u32(NFTA_MATCH_REV, htobe32(revision));
    data.bytes(NFTA_MATCH_INFO, payload);
  });
}

inline wire::Bytes verdict(std::int32_t code, std::string_view chain = {}) {
  return expression("immediate", [&](wire::MessageBuilder& data) {
    data.u32(NFTA_IMMEDIATE_DREG, htobe32(NFT_REG_VERDICT));
    data.nest(NFTA_IMMEDIATE_DATA, [&](wire::MessageBuilder& value) {
      value.nest(NFTA_DATA_VERDICT, [&](wire::MessageBuilder& nest) {
        nest.u32(NFTA_VERDICT_CODE, htobe32(static_cast<std::uint32_t>(code)));
        if (!chain.empty()) nest.string(NFTA_VERDICT_CHAIN, chain);
      });
    });
  });
}

inline wire::Bytes compare(std::uint32_t operation, const wire::Bytes& value) {
  return expression("cmp", [&](wire::MessageBuilder& data) {
    data.u32(NFTA_CMP_SREG, htobe32(NFT_REG_1)).u32(NFTA_CMP_OP, htobe32(operation));
    data.nest(NFTA_CMP_DATA, [&](auto& nest) { nest.bytes(NFTA_DATA_VALUE, value); });
  });
}

inline wire::Bytes load_meta(std::uint32_t key) {
  return expression("meta", [&](wire::MessageBuilder& data) {
    data.u32(NFTA_META_KEY, htobe32(key)).u32(NFTA_META_DREG, htobe32(NFT_REG_1));
  });
}

/// The two bytes behind the addresses of a frame.
inline wire::Bytes load_frame_protocol() {
  return expression("payload", [](wire::MessageBuilder& data) {
    data.u32(NFTA_PAYLOAD_DREG, htobe32(NFT_REG_1));
    data.u32(NFTA_PAYLOAD_BASE, htobe32(NFT_PAYLOAD_LL_HEADER));
    data.u32(NFTA_PAYLOAD_OFFSET, htobe32(12)).u32(NFTA_PAYLOAD_LEN, htobe32(2));
  });
}

}  // namespace plumbline::test
