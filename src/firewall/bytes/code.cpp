// A dumped rule made comparable, and back: counts, and the numbers of ipsets.

#include "code.hpp"

#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <cstring>

#include "expressions.hpp"
#include "plumbline/firewall/bytes/nftables.hpp"

namespace plumbline::firewall {

namespace {

std::uint16_t index_at(ByteSpan place) {
  std::uint16_t index = 0;
  std::memcpy(&index, place.data(), sizeof index);
  return index;
}

void write_index(std::span<std::byte> place, std::uint16_t index) {
  std::memcpy(place.data(), &index, sizeof index);
}

/// To write to it: `place` is a part of `whole`.
std::span<std::byte> place_in(std::span<std::byte> whole, ByteSpan place) {
  return whole.subspan(static_cast<std::size_t>(place.data() - whole.data()), place.size());
}

}  // namespace

RuleCode code_of(DumpedRule rule, const SetName& set_name) {
  RuleCode code{std::move(rule.expressions), {}, std::move(rule.userdata)};
  const auto each = [&](Variable variable, ByteSpan found) {
    const auto place = place_in(code.expressions, found);
    switch (variable) {
      case Variable::count:
        std::ranges::fill(place, std::byte{0});
        break;
      case Variable::spent:  // the last byte of a word in network order
        place[3] &= ~std::byte{NFT_QUOTA_F_DEPLETED};
        break;
      case Variable::ip_set:
        code.sets.push_back(set_name(index_at(found)));
        write_index(place, static_cast<std::uint16_t>(code.sets.size() - 1));
        break;
    }
  };
  for_each_variable(code.expressions, std::ref(each));
  return code;
}

std::vector<std::uint16_t> set_indexes(std::span<const std::byte> expressions) {
  std::vector<std::uint16_t> indexes;
  const auto each = [&](Variable variable, ByteSpan place) {
    if (variable == Variable::ip_set) indexes.push_back(index_at(place));
  };
  for_each_variable(expressions, std::ref(each));
  return indexes;
}

void write_set_indexes(std::span<std::byte> expressions, const std::vector<std::string>& sets,
                       const SetIndex& set_index) {
  const auto each = [&](Variable variable, ByteSpan found) {
    if (variable != Variable::ip_set) return;
    const std::size_t position = index_at(found);
    if (position >= sets.size()) throw wire::Malformed("a rule refers to an ipset without a name");
    write_index(place_in(expressions, found), set_index(sets[position]));
  };
  for_each_variable(expressions, std::ref(each));
}

}  // namespace plumbline::firewall
