// What is wrong with an input, all of it at once: the first of the three error channels.
//
// Code that finds a fault appends it here and goes on. It does not throw, print or log.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace plumbline {

/// The stable words that scripts match on; docs/errors.md explains each.
enum class Code : std::uint8_t {
  syntax_error,
  unsupported_version,
  unsupported_format,
  unreadable_file,
  too_large,
  empty_spec,
  conflicting_files,
  unknown_key,
  duplicate_key,
  missing_key,
  wrong_type,
  out_of_range,
  duplicate_identity,
  invalid_interface_name,
  invalid_address,
  invalid_link,
  invalid_route,
  invalid_rule,
  invalid_sysctl,
  exposed_key,
  ignored_setting,
  invalid_chain_name,
  invalid_iptables_rule,
  invalid_network,
  invalid_subnet,
  invalid_firewall_config,
  invalid_wireguard_config,
  ip_exhausted,
  not_available,
  foreign_conflict,
  foreign_equal,
  foreign_dependents,
  reassigned,
  host_open,
  not_in_force,
  would_remove_everything,
  no_such_object,
  not_adoptable,
  stale_plan,
  locked,
  not_confirmed,
  cannot_observe,
  host_warning,
  more_faults,
};

/// `SYNTAX_ERROR`, `UNKNOWN_KEY`, …
[[nodiscard]] std::string_view format(Code code);

/// A place in a file of the spec. Line and column count from 1, columns in bytes; no file at all
/// for what has no place.
struct Origin {
  std::shared_ptr<const std::string> file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  [[nodiscard]] bool known() const { return file != nullptr; }
  /// By the file's name, not by which copy of the name.
  bool operator==(const Origin& other) const;
};

/// `file:line:column`, or nothing.
[[nodiscard]] std::string format(const Origin& origin);

struct Diagnostic {
  Code code = Code::syntax_error;
  std::string message;
  Origin origin;
  std::string pointer;  ///< RFC 6901, empty for the whole document

  bool operator==(const Diagnostic&) const = default;
};

/// `file:line:column: CODE: message (at /json/pointer)`, on one line, each part printable().
[[nodiscard]] std::string format(const Diagnostic& diagnostic);

/// Most errors, and most warnings, that are kept of one input: a hostile one has millions.
inline constexpr std::size_t max_diagnostics = 1000;

struct Diagnostics {
  std::vector<Diagnostic> errors;
  std::vector<Diagnostic> warnings;
  std::size_t more_errors = 0;  ///< beyond `max_diagnostics`, and not kept
  std::size_t more_warnings = 0;

  void error(Code code, std::string message, Origin origin = {}, std::string pointer = {});
  void warning(Code code, std::string message, Origin origin = {}, std::string pointer = {});
  [[nodiscard]] bool ok() const { return errors.empty(); }
  /// Whether another error would only be counted, so that nothing need be spent on its wording.
  [[nodiscard]] bool full() const { return errors.size() >= max_diagnostics; }
  /// Ends each list that is not whole with a MORE_FAULTS that says how many are missing.
  void close();
};

/// `text` for terminals and logs: escaped(), and without_keys() of base/key_shape.hpp.
[[nodiscard]] std::string printable(std::string_view text);

/// `text` with control characters and invalid UTF-8 written as `\xNN`.
[[nodiscard]] std::string escaped(std::string_view text);

/// Whether `text` is well-formed UTF-8 (no surrogates, nothing overlong).
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace plumbline
