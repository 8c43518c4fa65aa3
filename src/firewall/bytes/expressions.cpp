#include "expressions.hpp"

#include <endian.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_set.h>

#include <array>

namespace plumbline::firewall {

namespace {

void visit_counts(ByteSpan attributes, std::uint16_t first, std::uint16_t last,
                  const VisitVariable& visit) {
  const auto each = [&](const wire::Attribute& attribute) {
    if (attribute.type() >= first && attribute.type() <= last) {
      visit(Variable::count, attribute.payload());
    }
  };
  wire::for_each_attribute(attributes, std::ref(each));
}

void visit_quota(ByteSpan attributes, const VisitVariable& visit) {
  visit_counts(attributes, NFTA_QUOTA_CONSUMED, NFTA_QUOTA_CONSUMED, visit);
  const auto flags = find_attribute(attributes, NFTA_QUOTA_FLAGS);
  if (!flags) return;
  static_cast<void>(flags->u32());
  visit(Variable::spent, flags->payload());
}

void visit_sets(const Extension& extension, std::span<const std::size_t> offsets,
                const VisitVariable& visit) {
  for (const std::size_t offset : offsets) {
    if (extension.payload.size() < offset + sizeof(ip_set_id_t)) {
      throw wire::Malformed("an ipset extension is too short");
    }
    const auto place = extension.payload.subspan(offset, sizeof(ip_set_id_t));
    ip_set_id_t index = 0;
    std::memcpy(&index, place.data(), sizeof index);
    if (index != IPSET_INVALID_ID) visit(Variable::ip_set, place);
  }
}

/// linux/netfilter/xt_set.h: revision 0 has a longer structure for each set than all others.
void visit_set_match(const Extension& match, const VisitVariable& visit) {
  constexpr std::array<std::size_t, 1> offsets{0};
  if (match.revision > 4) throw wire::Malformed("an ipset match of an unknown revision");
  visit_sets(match, offsets, visit);
}

void visit_set_target(const Extension& target, const VisitVariable& visit) {
  constexpr std::array<std::size_t, 2> in_0{offsetof(xt_set_info_target_v0, add_set),
                                            offsetof(xt_set_info_target_v0, del_set)};
  constexpr std::array<std::size_t, 3> in_3{offsetof(xt_set_info_target_v3, add_set),
                                            offsetof(xt_set_info_target_v3, del_set),
                                            offsetof(xt_set_info_target_v3, map_set)};
  if (target.revision > 3) throw wire::Malformed("an ipset target of an unknown revision");
  if (target.revision == 0) {
    visit_sets(target, in_0, visit);
  } else {
    visit_sets(target, std::span(in_3).first(target.revision == 3 ? 3 : 2), visit);
  }
}

void visit_variables(const Expression& expression, const VisitVariable& visit) {
  if (expression.name == "counter") {
    visit_counts(expression.attributes, NFTA_COUNTER_BYTES, NFTA_COUNTER_PACKETS, visit);
  } else if (expression.name == "quota") {
    visit_quota(expression.attributes, visit);
  } else if (expression.name == "last") {
    visit_counts(expression.attributes, NFTA_LAST_SET, NFTA_LAST_MSECS, visit);
  } else if (expression.name == "match") {
    const Extension match = extension_in(expression);
    if (match.name == "set") visit_set_match(match, visit);
  } else if (expression.name == "target") {
    const Extension target = extension_in(expression);
    if (target.name == "SET") visit_set_target(target, visit);
  }
}

}  // namespace

std::uint32_t big_endian_32(const wire::Attribute& attribute) { return be32toh(attribute.u32()); }

std::uint64_t big_endian_64(const wire::Attribute& attribute) {
  return be64toh(attribute.read<std::uint64_t>());
}

std::optional<wire::Attribute> find_attribute(ByteSpan attributes, std::uint16_t type) {
  std::optional<wire::Attribute> found;
  const auto each = [&](const wire::Attribute& attribute) {
    if (attribute.type() == type) found = attribute;
  };
  wire::for_each_attribute(attributes, std::ref(each));
  return found;
}

std::uint32_t number_in(ByteSpan attributes, std::uint16_t type) {
  const auto found = find_attribute(attributes, type);
  return found ? big_endian_32(*found) : 0;
}

ByteSpan payload_in(ByteSpan attributes, std::uint16_t type) {
  const auto found = find_attribute(attributes, type);
  return found ? found->payload() : ByteSpan{};
}

void for_each_expression(ByteSpan expressions,
                         const std::function<void(const Expression&)>& visit) {
  const auto each = [&](const wire::Attribute& element) {
    if (element.type() != NFTA_LIST_ELEM) return;
    Expression expression;
    const auto part = [&](const wire::Attribute& attribute) {
      if (attribute.type() == NFTA_EXPR_NAME) expression.name = attribute.string();
      if (attribute.type() == NFTA_EXPR_DATA) expression.attributes = attribute.payload();
    };
    wire::for_each_attribute(element.payload(), std::ref(part));
    if (expression.name.empty()) throw wire::Malformed("an expression without a name");
    visit(expression);
  };
  wire::for_each_attribute(expressions, std::ref(each));
}

Extension extension_in(const Expression& expression) {
  static_assert(NFTA_MATCH_NAME == static_cast<int>(NFTA_TARGET_NAME) &&
                NFTA_MATCH_REV == static_cast<int>(NFTA_TARGET_REV) &&
                NFTA_MATCH_INFO == static_cast<int>(NFTA_TARGET_INFO));
  Extension extension;
  const auto each = [&](const wire::Attribute& attribute) {
    if (attribute.type() == NFTA_MATCH_NAME) extension.name = attribute.string();
    if (attribute.type() == NFTA_MATCH_REV) extension.revision = big_endian_32(attribute);
    if (attribute.type() == NFTA_MATCH_INFO) extension.payload = attribute.payload();
  };
  wire::for_each_attribute(expression.attributes, std::ref(each));
  if (extension.name.empty()) throw wire::Malformed("an extension without a name");
  return extension;
}

void for_each_variable(ByteSpan expressions, const VisitVariable& visit) {
  const auto each = [&](const Expression& expression) { visit_variables(expression, visit); };
  for_each_expression(expressions, std::ref(each));
}

}  // namespace plumbline::firewall
