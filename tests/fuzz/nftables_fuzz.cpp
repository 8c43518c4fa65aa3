// Answers of nf_tables and ipset, and rules of anybody: every reader takes any bytes. It gives
// values that can be written again, or throws wire::Malformed, and nothing else.

#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>

#include "plumbline/firewall/bytes/nftables.hpp"
#include "plumbline/wire/netlink.hpp"

namespace {

using namespace plumbline;

template <class Read>
void may_be_malformed(Read read) {
  try {
    read();
  } catch (const wire::Malformed&) {
  }
}

void check(bool holds) {
  if (!holds) std::abort();
}

std::string name_of(std::uint16_t index) { return "set" + std::to_string(index); }

std::uint16_t index_of(const std::string& name) {
  return static_cast<std::uint16_t>(std::stoul(name.substr(3)));
}

/// The rules of a batch, as a dump would show them.
std::vector<firewall::DumpedRule> rules_in(const wire::NftBatch& batch) {
  wire::Bytes answer;
  wire::for_each_message(batch.messages, [&](const wire::Message& message) {
    const auto attributes = message.payload();
    wire::MessageBuilder again(message.type(), message.flags());
    again.append(attributes.data(), attributes.size());
    const std::uint64_t handle = 1;
    again.bytes(3, std::as_bytes(std::span(&handle, 1)));  // NFTA_RULE_HANDLE
    const auto bytes = std::move(again).finish();
    answer.insert(answer.end(), bytes.begin(), bytes.end());
  });
  return firewall::read_rules(answer);
}

/// A code is a fixed point, keeps the sets, and comes back whole from a batch.
void use(const firewall::DumpedRule& rule) {
  const auto code = firewall::code_of(rule, name_of);
  check(code.sets.size() == firewall::set_indexes(rule.expressions).size());
  may_be_malformed([&] { static_cast<void>(firewall::comments_of(code)); });
  may_be_malformed([&] { static_cast<void>(firewall::targets_of(code)); });
  firewall::NftBatchWriter writer;
  writer.add_rule(rule.family, "t", "c", code, {}, index_of);
  const auto written = rules_in(std::move(writer).finish(1));
  check(written.size() == 1);
  check(firewall::code_of(written.front(), name_of) == code);
  check(written.front().userdata == rule.userdata);
}

void use_expressions(const wire::Bytes& bytes) {
  for (const Family family : {Family::inet, Family::inet6, Family::bridge}) {
    firewall::DumpedRule rule;
    rule.family = family;
    rule.expressions = bytes;
    may_be_malformed([&] { use(rule); });
    // As it comes from nobody's dump: positions without a set.
    firewall::NftBatchWriter writer;
    const firewall::RuleCode code{bytes, {"set1", "set65535"}, bytes};
    may_be_malformed([&] {
      writer.add_rule(family, "t", "c", code, {firewall::Place::Where::before, 7}, index_of);
    });
    may_be_malformed([&] { writer.add_chain(family, "t", "c", bytes); });
    may_be_malformed([&] { static_cast<void>(rules_in(std::move(writer).finish(0))); });
  }
  may_be_malformed([&] { static_cast<void>(firewall::comments_of({{}, {}, bytes})); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto input = std::as_bytes(std::span(bytes, size));
  const wire::Bytes answer(input.begin(), input.end());
  may_be_malformed([&] { static_cast<void>(firewall::read_chains(answer)); });
  may_be_malformed([&] { static_cast<void>(firewall::read_generation(answer)); });
  may_be_malformed([&] { static_cast<void>(firewall::read_set_name(answer)); });
  may_be_malformed([&] { static_cast<void>(firewall::read_set_index(answer)); });
  may_be_malformed([&] {
    for (const auto& rule : firewall::read_rules(answer)) may_be_malformed([&] { use(rule); });
  });
  use_expressions(answer);
  return 0;
}
