// What cannot carry our mark, as it was before us: sysctls, settings of links that are not ours,
// policies of built-in chains. This is the one place that says what is remembered of which object,
// what it is put back to, and when it is forgotten.
//
// Remembered: a value that a step of ours changes, and every value that the kernel changes along
// with a sysctl that we write (changed_along() in kinds/sysctl.hpp). Put back: what is remembered
// and the spec does not hold. Held is what the spec names, and what follows a sysctl that it names.
// Forgotten: what was seen to be as before, and what is gone with its object; never for the reason
// alone that a step was planned.

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plumbline/base/link_names.hpp"
#include "plumbline/state/step.hpp"

namespace plumbline::memory {

/// A sysctl that the kernel changed along with one that we wrote.
struct Followed {
  std::string left;  ///< what the kernel made of it; empty: not known
  bool set = false;  ///< a step of ours has written it besides, and that was not put back yet

  bool operator==(const Followed&) const = default;
};

/// What the kernel cannot hold for us (engine/ledger.hpp keeps it on disk).
struct Memory {
  /// The values found before we, or the kernel along with us, first changed them.
  State earlier;
  /// Those of them, by path, that were changed along.
  std::map<std::string, Followed> followed;
  /// Port settings in the bridge that `earlier` has for `master`: they went when the link left it.
  std::map<IfName, PortSettings> ports;
  /// Whose values these are: the index of every link that is named here or was set by us.
  std::map<IfName, std::uint32_t> indexes;
  /// By link: the index of the bridge that the port settings in `earlier` are of.
  std::map<IfName, std::uint32_t> port_of;
  /// What tells a chain from another of its name that was made later.
  std::map<SharedChain::Key, std::string> chains;  ///< also of those that were found as wanted
  /// What could not be put back, by key, and what that waits for.
  std::map<std::string, std::string> refused;
  /// A digest per key of the value last applied, to tell drift from a changed spec. Wording only,
  /// but for endpoints of tunnels, which have digests of their own: where a peer has roamed, only a
  /// changed spec sets its endpoint anew.
  std::map<std::string, std::uint64_t> applied;

  bool operator==(const Memory&) const = default;
};

// ---- of the object, not of its name -------------------------------------------------------------

/// Brings names up to date: what is remembered of a link that was renamed follows it; of one that
/// is gone, whether or not another has its name now, it is forgotten. A link that was in a bridge
/// that is gone was in none.
void follow(Memory& memory, const LinkNames& links, const State& have);
/// What tells chains from others of their names; empty where nothing does.
using ChainIdentities = std::map<SharedChain::Key, std::string>;
/// The same for chains. One that was made anew with rules of ours in it is a copy of what there
/// was, policy included.
void follow(Memory& memory, const ChainIdentities& now, const State& have);
/// The chains whose identity matters: a policy of theirs is remembered, or the spec's.
[[nodiscard]] std::set<SharedChain::Key> chains_of_policies(const Memory& memory,
                                                            const State& want);
void note_objects(Memory& memory, const ChainIdentities& now);
/// Notes whose values are remembered, where that is not known yet.
void note_objects(Memory& memory, const State& want, const LinkNames& links, const State& have);

// ---- what is remembered -------------------------------------------------------------------------

/// For the sysctls that steps write, by path, those that the kernel changes along, as they are now.
using SettingsAlong = std::map<std::string, std::vector<Sysctl>>;

/// What somebody else changed since the kernel changed it along is what was before.
void heed(Memory& memory, const State& want, const State& have);
/// Adds what `plan` is about to change for the first time. A value that somebody set after us, and
/// that is repaired now, is none of these.
void remember(Memory& memory, const Plan& plan, const State& want, const SettingsAlong& along,
              const LinkNames& links);
/// The same for sysctls whose value could be seen only while the plan was carried out.
void remember(Memory& memory, const Plan& plan, const State& want, const State& found);
/// What the kernel made of those that it changed along, once the plan was carried out.
void note_followed(Memory& memory, const Plan& plan, const SettingsAlong& now);

// ---- what is forgotten --------------------------------------------------------------------------

/// Drops what `want` does not hold and is, in `now`, as it was before, or is not there any more.
void forget(Memory& memory, const State& want, const State& now);

}  // namespace plumbline::memory
