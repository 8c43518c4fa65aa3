// Whether what iptables-save printed can be believed.
//
// Looks only at how the text is framed, with quotes respected; rules are read by wire.

#pragma once

#include <string>
#include <string_view>

namespace plumbline::firewall {

struct SavedText {
  std::string unobservable;  ///< why the text is not all there is, naming the table; else empty
  std::string warning;       ///< what is missing but in nobody's way
  bool holds_rules = false;  ///< a rule, a chain of a user or a policy other than ACCEPT
};

/// iptables-nft-save leaves out tables it cannot express and says so only in a comment, with exit
/// status 0 (is_incompatible in iptables/xtables-save.c).
[[nodiscard]] SavedText inspect_saved(std::string_view text);

}  // namespace plumbline::firewall
