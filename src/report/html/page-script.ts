/** Filters checks and opens everything for print. The page is whole without it. */
export const PAGE_SCRIPT = `(function () {
  "use strict";
  var bar = document.querySelector(".filter");
  if (!bar) return;
  bar.hidden = false;
  var standing = document.getElementById("standing");
  var find = document.getElementById("find");
  var matches = document.getElementById("matches");
  var unfold = document.getElementById("unfold");
  var groups = Array.from(document.querySelectorAll("#baseline .group"));
  function apply() {
    var words = find.value.toLowerCase().split(/\\s+/).filter(Boolean);
    var isOn = words.length > 0 || standing.value !== "";
    var shown = 0;
    groups.forEach(function (group) {
      var inGroup = 0;
      group.querySelectorAll(".check").forEach(function (check) {
        var text = check.textContent.toLowerCase();
        var fits =
          (standing.value === "" || check.dataset.standing === standing.value) &&
          words.every(function (word) { return text.indexOf(word) >= 0; });
        check.hidden = !fits;
        if (fits) inGroup += 1;
      });
      group.hidden = inGroup === 0;
      if (isOn && inGroup > 0) group.open = true;
      shown += inGroup;
    });
    matches.textContent = isOn ? shown + " checks" : "";
  }
  standing.addEventListener("change", apply);
  find.addEventListener("input", apply);
  unfold.addEventListener("click", function () {
    var open = unfold.textContent === "Unfold all";
    groups.forEach(function (group) { group.open = open; });
    unfold.textContent = open ? "Fold all" : "Unfold all";
  });
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details").forEach(function (one) { one.open = true; });
  });
})();
`;
