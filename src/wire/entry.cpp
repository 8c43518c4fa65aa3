#include "plumbline/wire/entry.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <numeric>
#include <utility>
#include <vector>

namespace plumbline::wire {

namespace {

std::string_view type_name(const Node& node) {
  constexpr std::array<std::string_view, 9> names{"null",     "a boolean", "a number",
                                                  "a number", "a number",  "a number",
                                                  "text",     "an array",  "an object"};
  return names.at(node.value.index());
}

bool is_number(const Node& node) {
  return node.get<std::int64_t>() != nullptr || node.get<std::uint64_t>() != nullptr ||
         node.get<double>() != nullptr || node.get<HugeNumber>() != nullptr;
}

/// Levenshtein distance, letter case ignored.
std::size_t distance(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0U : 1U);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

/// The one of `keys` that `key` was probably meant to be, or nothing.
std::string_view nearest(std::string_view key, std::span<const std::string_view> keys) {
  constexpr std::size_t longest = 40;
  std::string_view best;
  std::size_t least = std::min<std::size_t>(2, key.size() / 3) + 1;
  if (key.size() > longest) return best;
  for (const std::string_view candidate : keys) {
    const std::size_t far = distance(key, candidate);
    if (far < least) {
      least = far;
      best = candidate;
    }
  }
  return best;
}

}  // namespace

Entry::Entry(const Node& node, Reading& reading, const Entry& parent, std::string_view key,
             std::size_t index)
    : node_(&node), reading_(&reading), pointer_(parent.pointer_), key_(key) {
  pointer_ += pointer_step(key_.data() == nullptr ? std::to_string(index) : key_);
}

std::string Entry::pointer() const { return pointer_; }

void Entry::error(Code code, std::string message) const {
  reading_->diagnostics.error(code, std::move(message), origin(), pointer());
}

void Entry::warning(Code code, std::string message) const {
  reading_->diagnostics.warning(code, std::move(message), origin(), pointer());
}

void Entry::wrong_type(std::string_view expected) const {
  Diagnostic fault{Code::wrong_type,
                   "expected " + std::string(expected) + ", not " + std::string(type_name(*node_)),
                   origin(), pointer()};
  Diagnostics& found = reading_->diagnostics;
  if (!found.errors.empty() && found.errors.back() == fault) return;
  found.error(fault.code, std::move(fault.message), std::move(fault.origin),
              std::move(fault.pointer));
}

bool Entry::is_object() const {
  if (node_->get<Object>() != nullptr) return true;
  wrong_type("an object");
  return false;
}

void Entry::only(std::span<const std::string_view> keys) const {
  if (!is_object()) return;
  for (const Member& member : *node_->get<Object>()) {
    if (std::ranges::find(keys, member.key) != keys.end()) continue;
    std::string message = "unknown key '" + member.key + "'";
    const bool is_kept = !reading_->diagnostics.full();
    if (const auto meant = is_kept ? nearest(member.key, keys) : ""; !meant.empty()) {
      message += "; did you mean '" + std::string(meant) + "'?";
    }
    reading_->diagnostics.error(Code::unknown_key, std::move(message), member.key_origin,
                                pointer_ + pointer_step(member.key));
  }
}

bool Entry::has(std::string_view key) const {
  const auto* const object = node_->get<Object>();
  return object != nullptr && wire::find(*object, key) != nullptr;
}

std::optional<Entry> Entry::find(std::string_view key) const {
  const auto* const object = node_->get<Object>();
  if (object == nullptr) return std::nullopt;
  const auto it = std::ranges::find(*object, key, &Member::key);
  if (it == object->end()) return std::nullopt;
  return Entry(it->value, *reading_, *this, it->key, 0);
}

std::optional<Entry> Entry::require(std::string_view key) const {
  if (!is_object()) return std::nullopt;
  auto member = find(key);
  if (!member) error(Code::missing_key, "'" + std::string(key) + "' is missing");
  return member;
}

void Entry::for_each_member(const std::function<void(const Entry&)>& visit) const {
  if (!is_object()) return;
  for (const Member& member : *node_->get<Object>()) {
    visit(Entry(member.value, *reading_, *this, member.key, 0));
  }
}

void Entry::for_each_element(const std::function<void(const Entry&)>& visit) const {
  const auto* const array = node_->get<Array>();
  if (array == nullptr) {
    wrong_type("an array");
    return;
  }
  for (const Node& node : *array) visit(Entry(node, *reading_, *this, {}, node.index));
}

bool Entry::has_at_most(std::size_t most, std::string_view what, std::string_view instead) const {
  const auto* const array = node_->get<Array>();
  const auto* const object = node_->get<Object>();
  const std::size_t count = array != nullptr    ? array->size()
                            : object != nullptr ? object->size()
                                                : 0;
  if (count <= most) return true;
  error(Code::out_of_range, std::to_string(count) + " " + std::string(what) + ", and " +
                                std::to_string(most) + " are the most: " + std::string(instead));
  return false;
}

std::optional<bool> Entry::boolean() const {
  if (const auto* const value = node_->get<bool>()) return *value;
  wrong_type("true or false");
  return std::nullopt;
}

std::optional<std::string> Entry::string() const {
  if (const auto* const value = node_->get<std::string>()) return *value;
  wrong_type("text");
  return std::nullopt;
}

std::optional<std::int64_t> Entry::integer(std::int64_t min, std::int64_t max) const {
  if (!is_number(*node_)) {
    wrong_type("a number");
    return std::nullopt;
  }
  if (node_->get<double>() != nullptr) {
    error(Code::wrong_type, "expected an integer, without fraction or exponent");
    return std::nullopt;
  }
  const auto* const value = node_->get<std::int64_t>();
  if (value != nullptr && *value >= min && *value <= max) return *value;
  const std::string shown = value != nullptr ? std::to_string(*value) : "one this large";
  error(Code::out_of_range, "expected a number from " + std::to_string(min) + " to " +
                                std::to_string(max) + ", not " + shown);
  return std::nullopt;
}

std::optional<bool> Entry::boolean(std::string_view key) const {
  const auto member = find(key);
  return member ? member->boolean() : std::nullopt;
}

std::optional<std::string> Entry::string(std::string_view key) const {
  const auto member = find(key);
  return member ? member->string() : std::nullopt;
}

}  // namespace plumbline::wire
