#include <algorithm>
#include <array>

#include "changes.hpp"
#include "plumbline/plan/render.hpp"
#include "shown.hpp"

namespace plumbline {

namespace {

struct Sign {
  std::string_view text;
  std::string_view colour;
};

Sign sign_of(Shown shown) {
  switch (shown) {
    case Shown::create:
      return {"  + ", "\033[32m"};
    case Shown::update:
      return {"  ~ ", "\033[33m"};
    case Shown::replace:
      return {"-/+ ", "\033[35m"};
    case Shown::remove:
      return {"  - ", "\033[31m"};
  }
  return {"    ", ""};
}

std::string words(const std::vector<Mention>& mentions) {
  std::string text;
  for (const Mention& mention : mentions) {
    if (!text.empty()) text += ", ";
    text += mention.what;
    if (!mention.what.empty()) text += ' ';
    if (mention.from.empty()) {
      text += mention.to;
    } else {
      text += mention.from + " -> " + (mention.to.empty() ? "none" : mention.to);
    }
  }
  return text;
}

std::string why(const Step& step) {
  std::string text(format(step.why));
  if (step.cause) text += " of " + format(*step.cause);
  for (const std::string& network : step.networks) text += ", network " + network;
  return text;
}

bool goes_without_saying(const Object& object, const Mention& mention) {
  // What a replaced object had, and a port that leaves its bridge, is forgotten, not set to
  // nothing.
  if (mention.to.empty() && object.shown == Shown::replace) return true;
  if (mention.to.empty() && mention.what.starts_with("port.")) return true;
  if (!std::holds_alternative<Route::Key>(object.last->key)) return false;
  constexpr std::array<std::string_view, 5> in_key{"to", "table", "metric", "tos", "family"};
  return std::ranges::find(in_key, mention.what) != in_key.end();
}

/// All that a tunnel has are addresses, numbers, public keys and fingerprints of the others.
std::string shown_words(const Step& step, const std::string& words) {
  return std::holds_alternative<WireGuard::Key>(step.key) ? escaped(words) : printable(words);
}

std::string line(const Object& object, bool colour) {
  const Step& step = *object.last;
  const Sign sign = sign_of(object.shown);
  std::string text;
  text += colour ? std::string(sign.colour) + std::string(sign.text) + "\033[0m"
                 : std::string(sign.text);
  text += printable(format(step.key));
  // An address, a sysctl's key and a policy rule say all there is to say in their key.
  std::vector<Mention> mentions = changes(object.before(), object.after());
  std::erase_if(mentions,
                [&](const Mention& mention) { return goes_without_saying(object, mention); });
  if (step.why == Why::adopted) {
    for (const Mention& mention : mark_changes(object.before(), object.after())) {
      mentions.push_back(mention);
    }
  }
  const std::string changed = words(mentions);
  const bool said =
      object.shown != Shown::update && (std::holds_alternative<Rule::Key>(step.key) ||
                                        std::holds_alternative<Address::Key>(step.key));
  if (!changed.empty() && !said) text += ": " + shown_words(step, changed);
  text += "  (" + printable(why(step)) + ")";
  if (object.disrupts() == Disruption::traffic) text += "  ! disrupts traffic";
  text += '\n';
  for (const std::string& rule : rule_changes(object.before(), object.after())) {
    text += "        " + printable(rule) + '\n';
  }
  return text;
}

std::string lines(const std::vector<Blocked>& blocked) {
  std::string text;
  for (const Blocked& object : blocked) {
    text += "  ? " + printable(format(object.key)) + "  (blocked: waits for ";
    for (std::size_t i = 0; i < object.waits_for.size(); ++i) {
      text += (i == 0 ? "" : ", ") + printable(object.waits_for[i]);
    }
    text += ")\n";
  }
  return text;
}

std::string lines(const std::vector<Diagnostic>& diagnostics, std::string_view what) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    text += std::string(what) + ": " + format(diagnostic) + '\n';
  }
  return text;
}

bool is_in_force(const Plan& plan) {
  return std::ranges::none_of(
      plan.warnings, [](const Diagnostic& warning) { return warning.code == Code::not_in_force; });
}

std::string closing(const Plan& plan) {
  if (plan.empty()) {
    if (!is_in_force(plan)) return "No changes, but not all rules are in force.\n";
    return plan.blocked.empty() ? "No changes. The host matches the spec.\n"
                                : "No changes can be made now.\n";
  }
  const Summary counts = summary(plan);
  return "Plan: " + std::to_string(counts.create) + " to create, " + std::to_string(counts.update) +
         " to update, " + std::to_string(counts.replace) + " to replace, " +
         std::to_string(counts.remove) + " to delete.\n";
}

}  // namespace

std::string render_text(const Plan& plan, bool colour) {
  std::string text;
  for (const Object& object : objects(plan)) text += line(object, colour);
  text += lines(plan.blocked);
  text += lines(plan.warnings, "warning");
  text += lines(plan.refusals, "refused");
  if (!text.empty()) text += '\n';
  return text + closing(plan);
}

}  // namespace plumbline
