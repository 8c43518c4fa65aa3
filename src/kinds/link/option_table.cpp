#include "option_table.hpp"

#include <endian.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace plumbline::detail {

namespace {

using Form = LinkOption::Form;

std::optional<std::uint64_t> word_of(const wire::Entry& member, const LinkOption& option) {
  const auto text = member.string();
  if (!text) return std::nullopt;
  const auto found = std::ranges::find(option.words, *text, &LinkOption::Word::word);
  if (found != option.words.end()) return found->value;
  std::string words;
  for (const auto& [word, ignored] : option.words) {
    words += (words.empty() ? "" : " or ") + std::string(word);
  }
  member.error(Code::invalid_link, "expected " + words + ", not '" + *text + "'");
  return std::nullopt;
}

bool is_boolean(const LinkOption& option) {
  return option.form == Form::flag || option.form == Form::bit;
}

std::optional<std::uint64_t> value_of(const wire::Entry& options, const LinkOption& option) {
  const auto member =
      option.required ? options.require(option.member) : options.find(option.member);
  if (!member) return std::nullopt;
  if (!option.words.empty()) return word_of(*member, option);
  if (is_boolean(option)) {
    const auto on = member->boolean();
    return on ? std::optional<std::uint64_t>(*on ? 1 : 0) : std::nullopt;
  }
  const auto number = member->integer(static_cast<std::int64_t>(option.least),
                                      static_cast<std::int64_t>(option.most));
  return number ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
}

boost::json::value spec_of(const LinkOption& option, std::uint64_t value) {
  if (is_boolean(option)) return value != 0;
  const auto found = std::ranges::find(option.words, value, &LinkOption::Word::value);
  if (found != option.words.end()) return boost::json::value(found->word);
  return boost::json::value(value);
}

std::uint64_t read_value(const wire::Attribute& attribute, const LinkOption& option) {
  switch (option.form) {
    case Form::u8:
      return attribute.u8();
    case Form::u16:
      return attribute.u16();
    case Form::u32:
      return attribute.u32();
    case Form::be16:
      return be16toh(attribute.u16());
    case Form::flag:
      return attribute.u8() != 0 ? 1 : 0;
    case Form::bit:
      return (attribute.u32() & option.bit) != 0 ? 1 : 0;
  }
  return 0;
}

void add_value(wire::MessageBuilder& data, const LinkOption& option, std::uint64_t value) {
  switch (option.form) {
    case Form::u8:
    case Form::flag:
      data.u8(option.attribute, static_cast<std::uint8_t>(value));
      break;
    case Form::u16:
      data.u16(option.attribute, static_cast<std::uint16_t>(value));
      break;
    case Form::u32:
      data.u32(option.attribute, static_cast<std::uint32_t>(value));
      break;
    case Form::be16:
      data.u16(option.attribute, htobe16(static_cast<std::uint16_t>(value)));
      break;
    case Form::bit:
      break;  // all of an attribute together
  }
}

}  // namespace

std::optional<std::uint64_t> TableType::value(const Link& link, std::size_t place) {
  return place < link.options.size() ? link.options[place] : std::nullopt;
}

void TableType::read_spec(const wire::Entry& entry, Link& link) const {
  const bool required =
      lower_ == Lower::required || std::ranges::any_of(options_, &LinkOption::required);
  const auto options = required ? entry.require(format(kind())) : entry.find(format(kind()));
  if (!options || !options->is_object()) return;
  std::vector<std::string_view> members;
  if (lower_ == Lower::required) members.emplace_back("device");
  for (const LinkOption& option : options_) members.push_back(option.member);
  options->only(members);
  if (lower_ == Lower::required) {
    static_cast<void>(options->require("device"));
    link.device = other_link(*options, "device", link.name);
  }
  for (const LinkOption& option : options_) link.options.push_back(value_of(*options, option));
}

void TableType::write_spec(const Link& link, boost::json::object& object) const {
  boost::json::object options;
  if (link.device) options["device"] = link.device->view();
  for (std::size_t i = 0; i < options_.size(); ++i) {
    if (const auto said = value(link, i)) options[options_[i].member] = spec_of(options_[i], *said);
  }
  if (!options.empty()) object[format(kind())] = std::move(options);
}

std::optional<IfName> TableType::lower(const Link& link) const { return link.device; }

void TableType::complete(Link& want, const Link& have) const {
  take(want.device, have.device);
  want.options.resize(options_.size());
  for (std::size_t i = 0; i < options_.size(); ++i) {
    if (!want.options[i]) want.options[i] = value(have, i);
  }
}

bool TableType::is_another(const Link& have, const Link& want) const {
  if (differs(have.device, want.device)) return true;
  for (std::size_t i = 0; i < options_.size(); ++i) {
    if (options_[i].fixed && differs(value(have, i), value(want, i))) return true;
  }
  return false;
}

Disruption TableType::disruption(const Link& have, const Link& want) const {
  Disruption worst = Disruption::nothing;
  for (std::size_t i = 0; i < options_.size(); ++i) {
    if (differs(value(have, i), value(want, i))) worst = std::max(worst, options_[i].disrupts);
  }
  return worst;
}

void TableType::read(const wire::Attribute& data, Link& link, RawLink& /*raw*/) const {
  link.options.assign(options_.size(), std::nullopt);
  wire::for_each_attribute(data.payload(), [&](const wire::Attribute& attribute) {
    for (std::size_t i = 0; i < options_.size(); ++i) {
      if (options_[i].attribute != attribute.type()) continue;
      link.options[i] = read_value(attribute, options_[i]);
    }
  });
}

void TableType::resolve(const RawLink& raw, const LinkNames& links, Link& link) const {
  if (lower_ == Lower::none || raw.lower == 0 || raw.is_elsewhere) return;
  link.device = links.name(raw.lower);
}

/// What `want` says and `have` does not.
void TableType::add(wire::MessageBuilder& data, const Link& have, const Link& want) const {
  struct Bits {
    std::uint32_t set = 0;
    std::uint32_t meant = 0;
  };
  std::map<std::uint16_t, Bits> bits;
  for (std::size_t i = 0; i < options_.size(); ++i) {
    const LinkOption& option = options_[i];
    const auto wanted = value(want, i);
    if (!differs(value(have, i), wanted)) continue;
    add_value(data, option, *wanted);
    if (option.form != Form::bit) continue;
    Bits& of_attribute = bits[option.attribute];
    of_attribute.meant |= option.bit;
    if (*wanted != 0) of_attribute.set |= option.bit;
  }
  for (const auto& [attribute, words] : bits) {
    data.bytes(attribute, std::as_bytes(std::span(&words, 1)));
  }
}

void TableType::add_new(wire::MessageBuilder& data, const Link& link, Making& /*making*/) const {
  add(data, Link(), link);
}

void TableType::add_changes(wire::MessageBuilder& data, const Link& have, const Link& want) const {
  add(data, have, want);
}

}  // namespace plumbline::detail
