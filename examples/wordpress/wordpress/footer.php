<?php
// A plugin that is always on: SITE_NOTE at the end of each page.
add_action('wp_footer', function () {
    $note = getenv('SITE_NOTE');
    if ($note) echo '<p style="text-align: center">', esc_html($note), '</p>';
});
