// What is remembered, as it is to be: what a spec leaves open, and what it does not name, is to be
// as it was before us.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plumbline/memory/memory.hpp"

namespace plumbline::memory {

/// The way back to what was before, for what is not wanted any more.
template <class K>
struct WayBack {
  K from;  ///< what there is of others' making
  K to;    ///< what it does not say is left as it is
};

/// Refers to both of its arguments.
class Goals {
 public:
  Goals(const Memory& memory, const State& want);

  /// `want` with what the spec leaves open, and what it says anew, taken from what is remembered;
  /// nothing where that is `want` itself.
  template <class K>
  [[nodiscard]] std::optional<K> with_earlier(const K& /*want*/, const K& /*have*/) const {
    return std::nullopt;
  }
  [[nodiscard]] std::optional<Link> with_earlier(const Link& want, const Link& have) const;
  [[nodiscard]] std::optional<WireGuard> with_earlier(const WireGuard& want,
                                                      const WireGuard& have) const;
  [[nodiscard]] std::optional<SharedChain> with_earlier(const SharedChain& want,
                                                        const SharedChain& have) const;

  /// Of what the spec does not name. Nothing: it is held, or not remembered.
  template <class K>
  [[nodiscard]] std::optional<WayBack<K>> way_back(const K& /*have*/) const {
    return std::nullopt;
  }
  [[nodiscard]] std::optional<WayBack<Link>> way_back(const Link& have) const;
  [[nodiscard]] std::optional<WayBack<Sysctl>> way_back(const Sysctl& have) const;
  [[nodiscard]] std::optional<WayBack<SharedChain>> way_back(const SharedChain& have) const;

  /// Whether it has values of ours though it carries no mark. `lost`: the kernel takes the whole
  /// object along, and not a part of it.
  template <class K>
  [[nodiscard]] bool looks_after(const K& /*have*/, bool /*lost*/) const {
    return false;
  }
  [[nodiscard]] bool looks_after(const Link& have, bool lost) const;
  [[nodiscard]] bool looks_after(const Sysctl& /*have*/, bool /*lost*/) const { return true; }

  /// Whether the kernel changes it along with a driver that has that value now.
  template <class K>
  [[nodiscard]] bool follows(const K& /*value*/, const K& /*driver*/) const {
    return false;
  }
  [[nodiscard]] bool follows(const Sysctl& value, const Sysctl& driver) const;

  /// A sysctl that the spec does not name is to be so; nothing: it is held, or not remembered.
  [[nodiscard]] std::optional<Sysctl> sysctl(const std::string& path) const;
  /// Why it was not possible to put it back; empty when nothing is known against it.
  [[nodiscard]] std::string refusal(const Key& key) const;
  /// Remembered sysctls that have to be looked at: all that are not held.
  [[nodiscard]] std::vector<std::string> watched() const;
  /// Whether it follows one that the spec names.
  [[nodiscard]] bool is_held(const std::string& path) const;

 private:
  [[nodiscard]] Link completed(Link want, const Link& have) const;

  const Memory* memory_;
  const State* want_;
  std::vector<Sysctl> drivers_;  ///< wanted, and change others along
};

/// What to look at beside what is always observed.
[[nodiscard]] Scope scope_of(const State& want, const Memory& memory);

}  // namespace plumbline::memory
