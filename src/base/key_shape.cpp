#include "plumbline/base/key_shape.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace plumbline {

namespace {

enum class Class : std::uint8_t { other, separator, upper, lower, digit, plus };

Class class_of(char c) {
  if (c >= 'A' && c <= 'Z') return Class::upper;
  if (c >= 'a' && c <= 'z') return Class::lower;
  if (c >= '0' && c <= '9') return Class::digit;
  if (c == '+') return Class::plus;
  // `~` as JSON pointers escape a slash.
  constexpr std::string_view separators = "/-_~=";
  return separators.find(c) != std::string_view::npos ? Class::separator : Class::other;
}

/// What is said of one part of a name, or of several.
struct Shape {
  std::size_t upper = 0;
  std::size_t lower = 0;
  std::size_t digits = 0;
  std::size_t hex = 0;      ///< digits and the letters a to f, of one case
  std::size_t pairs = 0;    ///< of neighbours
  std::size_t changes = 0;  ///< neighbours of different classes
};

Shape shape_of(std::string_view part) {
  Shape shape;
  std::size_t low = 0;
  std::size_t high = 0;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const Class now = class_of(part[i]);
    shape.upper += now == Class::upper ? 1 : 0;
    shape.lower += now == Class::lower ? 1 : 0;
    shape.digits += now == Class::digit ? 1 : 0;
    low += part[i] >= 'a' && part[i] <= 'f' ? 1 : 0;
    high += part[i] >= 'A' && part[i] <= 'F' ? 1 : 0;
    if (i == 0) continue;
    ++shape.pairs;
    if (class_of(part[i - 1]) != now) ++shape.changes;
  }
  shape.hex = shape.digits + std::max(low, high);
  return shape;
}

/// Random bytes in base64 have all three classes in 20 characters (97 of 100 do); words of a name
/// seldom do without anything between them.
bool is_random(const Shape& part, std::size_t length) {
  constexpr std::size_t least = 20;
  constexpr std::size_t least_hex = 32;
  if (length >= least_hex && part.hex == length && part.digits > 0 && part.digits < length) {
    return true;
  }
  return length >= least && part.upper > 0 && part.lower > 0 && part.digits > 0;
}

/// In random base64 62 of 100 neighbours are of different classes, in names and paths about 20.
/// Parts of less than eight characters say nothing: mkdtemp(3) ends names with six random ones.
bool changes_often(const Shape& all) {
  constexpr std::size_t least_pairs = 12;
  return all.pairs >= least_pairs && all.upper > 0 && all.lower > 0 &&
         all.changes * 100 >= all.pairs * 36;
}

/// A stretch of letters, digits and separators.
bool is_key(std::string_view stretch) {
  constexpr std::size_t least = 20;
  constexpr std::size_t least_part = 8;
  if (stretch.size() < least) return false;
  Shape all;
  while (!stretch.empty()) {
    const auto* const end =
        std::ranges::find_if(stretch, [](char c) { return class_of(c) == Class::separator; });
    const auto length = static_cast<std::size_t>(end - stretch.begin());
    const Shape part = shape_of(stretch.substr(0, length));
    if (is_random(part, length)) return true;
    if (length >= least_part) {
      all.upper += part.upper;
      all.lower += part.lower;
      all.pairs += part.pairs;
      all.changes += part.changes;
    }
    stretch.remove_prefix(std::min(length + 1, stretch.size()));
  }
  return changes_often(all);
}

/// What one wrong character, or a space, may have parted from a key.
bool is_piece(std::string_view stretch) {
  const Shape shape = shape_of(stretch);
  return shape.upper > 0 && shape.lower > 0 && shape.digits > 0;
}

struct Stretch {
  std::string_view text;
  std::string_view after;  ///< one character of another kind, but at the end
  bool key = false;
};

std::vector<Stretch> stretches_of(std::string_view text) {
  std::vector<Stretch> stretches;
  while (!text.empty()) {
    const auto* const end =
        std::ranges::find_if(text, [](char c) { return class_of(c) == Class::other; });
    const auto length = static_cast<std::size_t>(end - text.begin());
    const std::string_view stretch = text.substr(0, length);
    stretches.push_back({stretch, text.substr(length, 1), is_key(stretch)});
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return stretches;
}

}  // namespace

bool may_be_key(std::string_view text) {
  std::string joined;
  for (const char c : text) {
    if (class_of(c) != Class::other) joined += c;
  }
  return is_key(joined);
}

std::string without_keys(std::string_view text) {
  const std::vector<Stretch> stretches = stretches_of(text);
  std::string shown;
  shown.reserve(text.size());
  for (std::size_t i = 0; i < stretches.size(); ++i) {
    const bool beside =
        (i > 0 && stretches[i - 1].key) || (i + 1 < stretches.size() && stretches[i + 1].key);
    const auto& [part, after, key] = stretches[i];
    shown += key || (beside && is_piece(part)) ? hidden_key : part;
    shown += after;
  }
  return shown;
}

std::string pointer_without_keys(std::string_view pointer) {
  std::string shown;
  while (!pointer.empty()) {
    const std::size_t end = std::min(pointer.find('/', 1), pointer.size());
    shown += pointer.front();
    shown += without_keys(pointer.substr(1, end - 1));
    pointer.remove_prefix(end);
  }
  return shown;
}

}  // namespace plumbline
