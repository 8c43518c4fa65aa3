#include "plumbline/base/diagnostics.hpp"

#include <array>
#include <utility>

#include "plumbline/base/key_shape.hpp"

namespace plumbline {

namespace {

/// The length of the well-formed UTF-8 sequence at the start of `text`, 0 if there is none.
/// Table 3-7 of the Unicode standard.
std::size_t sequence_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto continues = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xbf) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return continues(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : 0xbf;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

/// C1 controls are two bytes in UTF-8 and still move some terminals' cursors. Characters of no
/// width and those that turn the direction of writing make a line read as another than it is:
/// U+061C, U+200B to 200F, U+2028 to 202E, U+2060 to 206F, U+FEFF.
bool is_control(std::string_view sequence) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(sequence[at]); };
  const auto within = [](unsigned value, unsigned first, unsigned last) {
    return value >= first && value <= last;
  };
  if (sequence.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7f;
  if (sequence.size() == 2) {
    return (byte(0) == 0xc2 && byte(1) < 0xa0) || (byte(0) == 0xd8 && byte(1) == 0x9c);
  }
  if (sequence.size() != 3) return false;
  if (byte(0) == 0xef) return byte(1) == 0xbb && byte(2) == 0xbf;
  if (byte(0) != 0xe2) return false;
  if (byte(1) == 0x81) return within(byte(2), 0xa0, 0xaf);
  return byte(1) == 0x80 && (within(byte(2), 0x8b, 0x8f) || within(byte(2), 0xa8, 0xae));
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view text) { return escaped(without_keys(text)); }

std::string escaped(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
    if (length != 0 && !is_control(sequence)) {
      result += sequence;
    } else {
      for (const char c : sequence) {
        const auto byte = static_cast<unsigned char>(c);
        result += {'\\', 'x', digits[byte >> 4U], digits[byte & 15U]};
      }
    }
    text.remove_prefix(sequence.size());
  }
  return result;
}

std::string_view format(Code code) {
  switch (code) {
    case Code::syntax_error:
      return "SYNTAX_ERROR";
    case Code::unsupported_version:
      return "UNSUPPORTED_VERSION";
    case Code::unsupported_format:
      return "UNSUPPORTED_FORMAT";
    case Code::unreadable_file:
      return "UNREADABLE_FILE";
    case Code::too_large:
      return "TOO_LARGE";
    case Code::empty_spec:
      return "EMPTY_SPEC";
    case Code::conflicting_files:
      return "CONFLICTING_FILES";
    case Code::unknown_key:
      return "UNKNOWN_KEY";
    case Code::duplicate_key:
      return "DUPLICATE_KEY";
    case Code::missing_key:
      return "MISSING_KEY";
    case Code::wrong_type:
      return "WRONG_TYPE";
    case Code::out_of_range:
      return "OUT_OF_RANGE";
    case Code::duplicate_identity:
      return "DUPLICATE_IDENTITY";
    case Code::invalid_interface_name:
      return "INVALID_INTERFACE_NAME";
    case Code::invalid_address:
      return "INVALID_ADDRESS";
    case Code::invalid_link:
      return "INVALID_LINK";
    case Code::invalid_route:
      return "INVALID_ROUTE";
    case Code::invalid_rule:
      return "INVALID_RULE";
    case Code::invalid_sysctl:
      return "INVALID_SYSCTL";
    case Code::exposed_key:
      return "EXPOSED_KEY";
    case Code::ignored_setting:
      return "IGNORED_SETTING";
    case Code::invalid_chain_name:
      return "INVALID_CHAIN_NAME";
    case Code::invalid_iptables_rule:
      return "INVALID_IPTABLES_RULE";
    case Code::invalid_network:
      return "INVALID_NETWORK";
    case Code::invalid_subnet:
      return "INVALID_SUBNET";
    case Code::invalid_firewall_config:
      return "INVALID_FIREWALL_CONFIG";
    case Code::invalid_wireguard_config:
      return "INVALID_WIREGUARD_CONFIG";
    case Code::ip_exhausted:
      return "IP_EXHAUSTED";
    case Code::not_available:
      return "NOT_AVAILABLE";
    case Code::foreign_conflict:
      return "FOREIGN_CONFLICT";
    case Code::foreign_equal:
      return "FOREIGN_EQUAL";
    case Code::foreign_dependents:
      return "FOREIGN_DEPENDENTS";
    case Code::reassigned:
      return "REASSIGNED";
    case Code::host_open:
      return "HOST_OPEN";
    case Code::not_in_force:
      return "NOT_IN_FORCE";
    case Code::would_remove_everything:
      return "WOULD_REMOVE_EVERYTHING";
    case Code::no_such_object:
      return "NO_SUCH_OBJECT";
    case Code::not_adoptable:
      return "NOT_ADOPTABLE";
    case Code::stale_plan:
      return "STALE_PLAN";
    case Code::locked:
      return "LOCKED";
    case Code::not_confirmed:
      return "NOT_CONFIRMED";
    case Code::cannot_observe:
      return "CANNOT_OBSERVE";
    case Code::host_warning:
      return "HOST_WARNING";
    case Code::more_faults:
      return "MORE_FAULTS";
  }
  return "UNKNOWN";
}

bool Origin::operator==(const Origin& other) const {
  const bool same_file = file == other.file || (file && other.file && *file == *other.file);
  return same_file && line == other.line && column == other.column;
}

std::string format(const Origin& origin) {
  if (!origin.known()) return {};
  return printable(*origin.file) + ":" + std::to_string(origin.line) + ":" +
         std::to_string(origin.column);
}

std::string format(const Diagnostic& diagnostic) {
  std::string text = format(diagnostic.origin);
  if (!text.empty()) text += ": ";
  text += std::string(format(diagnostic.code)) + ": " + printable(diagnostic.message);
  if (!diagnostic.pointer.empty())
    text += " (at " + escaped(pointer_without_keys(diagnostic.pointer)) + ")";
  return text;
}

namespace {

void keep(std::vector<Diagnostic>& kept, std::size_t& more, Diagnostic diagnostic) {
  if (kept.size() < max_diagnostics) {
    kept.push_back(std::move(diagnostic));
  } else {
    ++more;
  }
}

/// Not an exact number: of faults that are found twice, only what is kept is made one again.
void close_list(std::vector<Diagnostic>& kept, std::size_t& more, std::string_view what) {
  if (more == 0) return;
  kept.push_back(
      {Code::more_faults,
       "up to " + std::to_string(more) + " more " + std::string(what) + " are not listed",
       {},
       {}});
  more = 0;
}

}  // namespace

void Diagnostics::error(Code code, std::string message, Origin origin, std::string pointer) {
  keep(errors, more_errors, {code, std::move(message), std::move(origin), std::move(pointer)});
}

void Diagnostics::warning(Code code, std::string message, Origin origin, std::string pointer) {
  keep(warnings, more_warnings, {code, std::move(message), std::move(origin), std::move(pointer)});
}

void Diagnostics::close() {
  close_list(errors, more_errors, "errors");
  close_list(warnings, more_warnings, "warnings");
}

}  // namespace plumbline
