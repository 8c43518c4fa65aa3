// Words that several parts of a network have in common.

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "plumbline/base/if_name.hpp"
#include "plumbline/base/ip.hpp"
#include "plumbline/spec/network.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline::spec {

/// While one of these lives, faults of type and range get the code of a section.
class SectionCode {
 public:
  SectionCode(Diagnostics& diagnostics, Code code)
      : diagnostics_(&diagnostics), code_(code), first_(diagnostics.errors.size()) {}
  ~SectionCode() {
    for (std::size_t i = first_; i < diagnostics_->errors.size(); ++i) {
      Code& code = diagnostics_->errors[i].code;
      if (code == Code::wrong_type || code == Code::out_of_range) code = code_;
    }
  }
  SectionCode(const SectionCode&) = delete;
  SectionCode& operator=(const SectionCode&) = delete;

 private:
  Diagnostics* diagnostics_;
  Code code_;
  std::size_t first_;
};

/// Stricter than for `links`: letters, digits, `.`, `_` and `-`, the first a letter or a digit, as
/// the name gets into rules, where `+` stands for any ending and `!` for not.
[[nodiscard]] std::optional<IfName> network_link_name(const wire::Entry& entry,
                                                      std::string_view text);
/// Of text, or INVALID_INTERFACE_NAME whatever it is instead.
[[nodiscard]] std::optional<IfName> network_link_word(const wire::Entry& entry);

/// An IPv4 address or prefix, its host bits cleared; nothing when it is none.
[[nodiscard]] std::optional<Prefix> masked_ipv4(std::string_view text);

/// The member `mac`: INVALID_NETWORK for what no interface can have.
[[nodiscard]] std::optional<Given<Mac>> given_mac(const wire::Entry& interface);

/// One of two words.
template <class T>
void read_choice(const wire::Entry& entry, std::string_view key, Code code,
                 const std::pair<std::string_view, T>& one,
                 const std::pair<std::string_view, T>& two, T& into) {
  const auto member = entry.find(key);
  const auto text = member ? member->string() : std::nullopt;
  if (!text) return;
  if (*text == one.first) {
    into = one.second;
  } else if (*text == two.first) {
    into = two.second;
  } else {
    member->error(code, "expected \"" + std::string(one.first) + "\" or \"" +
                            std::string(two.first) + "\", not '" + *text + "'");
  }
}

inline void read_bool(const wire::Entry& entry, std::string_view key, bool& into) {
  into = entry.boolean(key).value_or(into);
}

}  // namespace plumbline::spec
